"""What label map and DensePose show of a person, by name: regions in a scene's window, uint8 of 0 and 1.

Recipes and audit ask for them through `Scene.once`, each in the scene itself or in the coarse one.
"""

from __future__ import annotations

import numpy as np

from tryon.agnostic.masks.parsed_person import ParsedPerson
from tryon.agnostic.masks.regions import LabelSet, Mask, label_set, labels_in
from tryon.categories import Category
from tryon.dresscode.labels import GARMENT_LABELS, DensePart, Label

_GARMENTS = {category: label_set(labels) for category, labels in GARMENT_LABELS.items()}
_DRESS = label_set([Label.DRESS])
_OUTFIT = label_set([*GARMENT_LABELS[Category.DRESSES], Label.PANTS])
_BACKGROUND = label_set([Label.BACKGROUND])
_HEAD = label_set([Label.HEAD])
_ARM_SKIN, _LEG_SKIN = label_set([Label.LEFT_ARM, Label.RIGHT_ARM]), label_set([Label.LEFT_LEG, Label.RIGHT_LEG])
_HEAD_CHARTS = label_set([DensePart.HEAD_RIGHT, DensePart.HEAD_LEFT])
_HAND_CHARTS = label_set([DensePart.RIGHT_HAND, DensePart.LEFT_HAND])
_FOOT_CHARTS = label_set([DensePart.LEFT_FOOT, DensePart.RIGHT_FOOT])


def garment_mask(scene: ParsedPerson, category: Category) -> Mask:
    """Labels under which a worn garment of the category is found."""
    return labels_in(scene.labels, _GARMENTS[category])


def top_mask(scene: ParsedPerson) -> Mask:
    """What is worn where a top is."""
    return scene.cached(garment_mask, Category.UPPER_BODY)


def bottom_mask(scene: ParsedPerson) -> Mask:
    """What is worn where a skirt or trousers are."""
    return scene.cached(garment_mask, Category.LOWER_BODY)


def dress_mask(scene: ParsedPerson) -> Mask:
    """What is parsed as dress, which a top or a skirt may be in part."""
    return labels_in(scene.labels, _DRESS)


def dress_or_outfit(scene: ParsedPerson) -> Mask:
    """What goes for a dress: parsed as dress, as top plus skirt, as a suit with trousers."""
    return labels_in(scene.labels, _OUTFIT)


def background(scene: ParsedPerson) -> Mask:
    """What is nobody, by the label map."""
    return labels_in(scene.labels, _BACKGROUND)


def head_skin(scene: ParsedPerson) -> Mask:
    """Face, neck and what of the chest a neckline shows, by the label map."""
    return labels_in(scene.labels, _HEAD)


def arm_skin(scene: ParsedPerson) -> Mask:
    """Bare arms and hands, by the label map."""
    return labels_in(scene.labels, _ARM_SKIN)


def leg_skin(scene: ParsedPerson) -> Mask:
    """Bare legs and feet, by the label map."""
    return labels_in(scene.labels, _LEG_SKIN)


def head_charts(scene: ParsedPerson) -> Mask:
    """Head, by DensePose; nothing without it."""
    return _charts(_HEAD_CHARTS, scene)


def hand_charts(scene: ParsedPerson) -> Mask:
    """Hands, by DensePose; nothing without it."""
    return _charts(_HAND_CHARTS, scene)


def foot_charts(scene: ParsedPerson) -> Mask:
    """Feet, by DensePose; nothing without it."""
    return _charts(_FOOT_CHARTS, scene)


def _charts(charts: LabelSet, scene: ParsedPerson) -> Mask:
    return np.zeros_like(scene.labels) if scene.dense is None else labels_in(scene.dense, charts)
