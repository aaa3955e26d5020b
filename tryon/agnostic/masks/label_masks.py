"""What label map and DensePose show of a person, by name: regions in a scene's window, uint8 of 0 and 1.

Recipes and audit ask for them through `Scene.once`, each in the scene itself or in the coarse one.
"""

from __future__ import annotations

import numpy as np

from tryon.agnostic.masks.parsed_person import Scene
from tryon.agnostic.masks.regions import Ids, Region, ids_of, look_up
from tryon.categories import Category
from tryon.dresscode.labels import GARMENT_LABELS, DensePart, Label

_GARMENTS = {category: ids_of(labels) for category, labels in GARMENT_LABELS.items()}
_DRESS = ids_of([Label.DRESS])
_OUTFIT = ids_of([*GARMENT_LABELS[Category.DRESSES], Label.PANTS])
_BACKGROUND = ids_of([Label.BACKGROUND])
_HEAD = ids_of([Label.HEAD])
_ARM_SKIN, _LEG_SKIN = ids_of([Label.LEFT_ARM, Label.RIGHT_ARM]), ids_of([Label.LEFT_LEG, Label.RIGHT_LEG])
_HEAD_CHARTS = ids_of([DensePart.HEAD_RIGHT, DensePart.HEAD_LEFT])
_HAND_CHARTS = ids_of([DensePart.RIGHT_HAND, DensePart.LEFT_HAND])
_FOOT_CHARTS = ids_of([DensePart.LEFT_FOOT, DensePart.RIGHT_FOOT])


def worn_garment(scene: Scene, category: Category) -> Region:
    """Labels under which a worn garment of the category is found."""
    return look_up(scene.labels, _GARMENTS[category])


def worn_top(scene: Scene) -> Region:
    """What is worn where a top is."""
    return scene.once(worn_garment, Category.UPPER_BODY)


def worn_skirt(scene: Scene) -> Region:
    """What is worn where a skirt or trousers are."""
    return scene.once(worn_garment, Category.LOWER_BODY)


def parsed_as_dress(scene: Scene) -> Region:
    """What is parsed as dress, which a top or a skirt may be in part."""
    return look_up(scene.labels, _DRESS)


def whole_outfit(scene: Scene) -> Region:
    """What goes for a dress: parsed as dress, as top plus skirt, as a suit with trousers."""
    return look_up(scene.labels, _OUTFIT)


def background(scene: Scene) -> Region:
    """What is nobody, by the label map."""
    return look_up(scene.labels, _BACKGROUND)


def head_skin(scene: Scene) -> Region:
    """Face, neck and what of the chest a neckline shows, by the label map."""
    return look_up(scene.labels, _HEAD)


def arm_skin(scene: Scene) -> Region:
    """Bare arms and hands, by the label map."""
    return look_up(scene.labels, _ARM_SKIN)


def leg_skin(scene: Scene) -> Region:
    """Bare legs and feet, by the label map."""
    return look_up(scene.labels, _LEG_SKIN)


def head_charts(scene: Scene) -> Region:
    """Head, by DensePose; nothing without it."""
    return _charts(_HEAD_CHARTS, scene)


def hand_charts(scene: Scene) -> Region:
    """Hands, by DensePose; nothing without it."""
    return _charts(_HAND_CHARTS, scene)


def foot_charts(scene: Scene) -> Region:
    """Feet, by DensePose; nothing without it."""
    return _charts(_FOOT_CHARTS, scene)


def _charts(charts: Ids, scene: Scene) -> Region:
    return np.zeros_like(scene.labels) if scene.dense is None else look_up(scene.dense, charts)
