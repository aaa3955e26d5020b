"""The mask recipes by name, all of one signature: (category, label map, DensePose, key points) to mask."""

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


def _fitting_room(category: Category, scene: ParsedPerson) -> NDArray[np.bool_]:
    """This project's own recipe; see `tryon.agnostic.agnostic_mask`."""
    return _BY_CATEGORY[category](scene).view(np.bool_)


def _dresscode_official(category: Category, scene: ParsedPerson) -> NDArray[np.bool_]:
    return dresscode_official(category, scene.label_map, scene.dense_pose, scene.keypoints).view(np.bool_)


def _of_maps(recipe: PersonMaskMethod) -> MaskMethod:
    def of_maps(
        category: Category, label_map: LabelMap, dense_pose: LabelMap | None, keypoints: NDArray[np.floating]
    ) -> NDArray[np.bool_]:
        return recipe(category, ParsedPerson(label_map, dense_pose, keypoints))

    return of_maps


PERSON_METHODS: dict[str, PersonMaskMethod] = {"fitting-room": _fitting_room, "dresscode-official": _dresscode_official}
"""The recipes for those who also audit the mask: `audit_person` takes the same scene."""

METHODS: dict[str, MaskMethod] = {name: _of_maps(recipe) for name, recipe in PERSON_METHODS.items()}
"""What `agnostic.method` in `params.yaml` chooses from. Arguments and result as in `tryon.agnostic.agnostic_mask`."""

MARGINS: dict[str, Callable[[int], float]] = {
    "fitting-room": lambda height: GARMENT_MARGIN * height,
    "dresscode-official": garment_margin,
}
"""How far each recipe grows a garment at a image's height, in pixels: what `audit` looks for its outline at."""
