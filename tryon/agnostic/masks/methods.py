"""The mask methods by name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tryon.agnostic.masks.dresscode_official import dresscode_official, garment_margin
from tryon.agnostic.masks.dresses import dresses
from tryon.agnostic.masks.lower_body import lower_body
from tryon.agnostic.masks.parsed_person import LabelMap, ParsedPerson
from tryon.agnostic.masks.regions import Mask
from tryon.agnostic.masks.upper_body import GARMENT_MARGIN, upper_body
from tryon.categories import Category

MaskMethod = Callable[[Category, LabelMap, LabelMap | None, NDArray[np.floating]], NDArray[np.bool_]]
PersonMaskMethod = Callable[[Category, ParsedPerson], NDArray[np.bool_]]

_BY_CATEGORY: dict[Category, Callable[[ParsedPerson], Mask]] = {
    Category.UPPER_BODY: upper_body,
    Category.LOWER_BODY: lower_body,
    Category.DRESSES: dresses,
}


def _fitting_room(category: Category, person: ParsedPerson) -> NDArray[np.bool_]:
    return _BY_CATEGORY[category](person).view(np.bool_)


def _dresscode_official(category: Category, person: ParsedPerson) -> NDArray[np.bool_]:
    return dresscode_official(category, person.label_map, person.dense_pose, person.keypoints).view(np.bool_)


def _as_map_method(method: PersonMaskMethod) -> MaskMethod:
    def from_maps(
        category: Category, label_map: LabelMap, dense_pose: LabelMap | None, keypoints: NDArray[np.floating]
    ) -> NDArray[np.bool_]:
        return method(category, ParsedPerson(label_map, dense_pose, keypoints))

    return from_maps


PERSON_METHODS: dict[str, PersonMaskMethod] = {"fitting-room": _fitting_room, "dresscode-official": _dresscode_official}
"""Methods on a `ParsedPerson`, which `audit_person` can reuse."""

METHODS: dict[str, MaskMethod] = {name: _as_map_method(method) for name, method in PERSON_METHODS.items()}
"""Values of `agnostic.method` in `params.yaml`; arguments and result as in `tryon.agnostic.agnostic_mask`."""

MARGINS: dict[str, Callable[[int], float]] = {
    "fitting-room": lambda height: GARMENT_MARGIN * height,
    "dresscode-official": garment_margin,
}
"""Dilation of the garment by each method, in pixels, as a function of the image height; used by the audit."""
