"""Masks of labels and DensePose parts by name, in a person's window.

Mask methods and audit use them through `ParsedPerson.cached`, at full or reduced resolution.
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
_HEAD_PARTS = label_set([DensePart.HEAD_RIGHT, DensePart.HEAD_LEFT])
_HAND_PARTS = label_set([DensePart.RIGHT_HAND, DensePart.LEFT_HAND])
_FOOT_PARTS = label_set([DensePart.LEFT_FOOT, DensePart.RIGHT_FOOT])


def garment_mask(person: ParsedPerson, category: Category) -> Mask:
    """Return the labels of a worn garment of the category."""
    return labels_in(person.labels, _GARMENTS[category])


def top_mask(person: ParsedPerson) -> Mask:
    """Return the labels of a worn top."""
    return person.cached(garment_mask, Category.UPPER_BODY)


def bottom_mask(person: ParsedPerson) -> Mask:
    """Return the labels of a worn skirt or trousers."""
    return person.cached(garment_mask, Category.LOWER_BODY)


def dress_mask(person: ParsedPerson) -> Mask:
    """Return the label dress, which a top or a skirt may have in part."""
    return labels_in(person.labels, _DRESS)


def dress_or_outfit(person: ParsedPerson) -> Mask:
    """Return the labels of a dress, of top plus skirt, or of a suit with trousers."""
    return labels_in(person.labels, _OUTFIT)


def background(person: ParsedPerson) -> Mask:
    """Return the label background."""
    return labels_in(person.labels, _BACKGROUND)


def head_skin(person: ParsedPerson) -> Mask:
    """Return the label head: face, neck and the chest in a neckline."""
    return labels_in(person.labels, _HEAD)


def arm_skin(person: ParsedPerson) -> Mask:
    """Return the labels of bare arms and hands."""
    return labels_in(person.labels, _ARM_SKIN)


def leg_skin(person: ParsedPerson) -> Mask:
    """Return the labels of bare legs and feet."""
    return labels_in(person.labels, _LEG_SKIN)


def head_parts(person: ParsedPerson) -> Mask:
    """Return DensePose's head; empty without DensePose."""
    return _dense_parts(_HEAD_PARTS, person)


def hand_parts(person: ParsedPerson) -> Mask:
    """Return DensePose's hands; empty without DensePose."""
    return _dense_parts(_HAND_PARTS, person)


def foot_parts(person: ParsedPerson) -> Mask:
    """Return DensePose's feet; empty without DensePose."""
    return _dense_parts(_FOOT_PARTS, person)


def _dense_parts(parts: LabelSet, person: ParsedPerson) -> Mask:
    return np.zeros_like(person.labels) if person.dense is None else labels_in(person.dense, parts)
