"""Masks of labels and DensePose parts by name, in a person's window.

Mask methods and audit use them through `ParsedPerson.cached`, at full or reduced resolution.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tryon.agnostic.masks.parsed_person import ParsedPerson
from tryon.agnostic.masks.regions import Mask, label_set, labels_in
from tryon.categories import Category
from tryon.dresscode.labels import GARMENT_LABELS, DensePart, Label

PersonMask = Callable[[ParsedPerson], Mask]

_GARMENTS = {category: label_set(labels) for category, labels in GARMENT_LABELS.items()}


def garment_mask(person: ParsedPerson, category: Category) -> Mask:
    """Return the labels of a worn garment of the category."""
    return labels_in(person.labels, _GARMENTS[category])


def top_mask(person: ParsedPerson) -> Mask:
    """Return the labels of a worn top."""
    return person.cached(garment_mask, Category.UPPER_BODY)


def bottom_mask(person: ParsedPerson) -> Mask:
    """Return the labels of a worn skirt or trousers."""
    return person.cached(garment_mask, Category.LOWER_BODY)


def _of_labels(*labels: Label) -> PersonMask:
    ids = label_set(labels)
    return lambda person: labels_in(person.labels, ids)


def _of_parts(*parts: DensePart) -> PersonMask:
    """Return a mask of DensePose parts, empty without DensePose."""
    ids = label_set(parts)
    return lambda person: np.zeros_like(person.labels) if person.dense is None else labels_in(person.dense, ids)


background = _of_labels(Label.BACKGROUND)
dress_mask = _of_labels(Label.DRESS)  # a top or a skirt may have this label in part
dress_or_outfit = _of_labels(*GARMENT_LABELS[Category.DRESSES], Label.PANTS)  # or top plus skirt, or a suit
head_skin = _of_labels(Label.HEAD)  # face, neck and the chest in a neckline
arm_skin = _of_labels(Label.LEFT_ARM, Label.RIGHT_ARM)  # bare arms and hands
leg_skin = _of_labels(Label.LEFT_LEG, Label.RIGHT_LEG)  # bare legs and feet
head_parts = _of_parts(DensePart.HEAD_RIGHT, DensePart.HEAD_LEFT)
hand_parts = _of_parts(DensePart.RIGHT_HAND, DensePart.LEFT_HAND)
foot_parts = _of_parts(DensePart.LEFT_FOOT, DensePart.RIGHT_FOOT)
