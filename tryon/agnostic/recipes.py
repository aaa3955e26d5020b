"""The mask recipes by name, all of one signature: (category, label map, DensePose, key points) to mask."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tryon.agnostic.body import Body, body_from_keypoints
from tryon.agnostic.dresscode_official import dresscode_official, garment_margin
from tryon.agnostic.dresses import dresses
from tryon.agnostic.lower_body import lower_body
from tryon.agnostic.regions import Region
from tryon.agnostic.upper_body import GARMENT_MARGIN, upper_body
from tryon.categories import Category
from tryon.errors import TryOnError

LabelMap = NDArray[np.uint8]
Recipe = Callable[[Category, LabelMap, LabelMap | None, NDArray[np.floating]], NDArray[np.bool_]]

_BY_CATEGORY: dict[Category, Callable[[LabelMap, LabelMap | None, Body], Region]] = {
    Category.UPPER_BODY: upper_body,
    Category.LOWER_BODY: lower_body,
    Category.DRESSES: dresses,
}


def _fitting_room(
    category: Category, label_map: LabelMap, dense_pose: LabelMap | None, keypoints: NDArray[np.floating]
) -> Region:
    """This project's own recipe; see `tryon.agnostic.agnostic_mask`."""
    body = body_from_keypoints(keypoints, len(label_map))
    return _BY_CATEGORY[category](label_map, dense_pose, body)


def _checked(make: Callable[[Category, LabelMap, LabelMap | None, NDArray[np.floating]], Region]) -> Recipe:
    """The recipe that looks at its arguments first, and gives bool."""

    def recipe(
        category: Category, label_map: LabelMap, dense_pose: LabelMap | None, keypoints: NDArray[np.floating]
    ) -> NDArray[np.bool_]:
        _check(label_map, dense_pose, keypoints)
        return make(category, label_map, dense_pose, keypoints).view(np.bool_)

    return recipe


RECIPES: dict[str, Recipe] = {
    "fitting-room": _checked(_fitting_room),
    "dresscode-official": _checked(dresscode_official),
}
"""What `agnostic.recipe` in `params.yaml` chooses from. Arguments and result as in `tryon.agnostic.agnostic_mask`."""

MARGINS: dict[str, Callable[[int], float]] = {
    "fitting-room": lambda height: GARMENT_MARGIN * height,
    "dresscode-official": garment_margin,
}
"""How far each recipe grows a garment at a picture's height, in pixels: what `audit` looks for its outline at."""


def _check(label_map: LabelMap, dense_pose: LabelMap | None, keypoints: NDArray[np.floating]) -> None:
    maps = {"label map": label_map} | ({} if dense_pose is None else {"dense pose": dense_pose})
    for name, ids in maps.items():
        if ids.dtype != np.uint8 or ids.ndim != 2 or ids.shape != label_map.shape or not ids.size:
            rule = f"is uint8 (H, W) as large as the label map, {label_map.shape}"
            raise TryOnError(name, rule=rule, value=f"{ids.dtype} {ids.shape}")
    if keypoints.shape != (18, 3):
        raise TryOnError("keypoints", rule="is float (18, 3): x, y, score", value=keypoints.shape)
