"""The mask recipes by name, all of one signature: (category, label map, DensePose, key points) to mask."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tryon.agnostic.body import Body, body_from_keypoints
from tryon.agnostic.dresses import dresses
from tryon.agnostic.lower_body import lower_body
from tryon.agnostic.regions import Region
from tryon.agnostic.upper_body import upper_body
from tryon.categories import Category
from tryon.errors import TryOnError

LabelMap = NDArray[np.uint8]
Recipe = Callable[[Category, LabelMap, LabelMap | None, NDArray[np.floating]], NDArray[np.bool_]]

_BY_CATEGORY: dict[Category, Callable[[LabelMap, LabelMap | None, Body], Region]] = {
    Category.UPPER_BODY: upper_body,
    Category.LOWER_BODY: lower_body,
    Category.DRESSES: dresses,
}


def fitting_room(
    category: Category, label_map: LabelMap, dense_pose: LabelMap | None, keypoints: NDArray[np.floating]
) -> NDArray[np.bool_]:
    """This project's own recipe; see `tryon.agnostic.agnostic_mask`."""
    _check(label_map, dense_pose, keypoints)
    body = body_from_keypoints(keypoints, len(label_map))
    return _BY_CATEGORY[category](label_map, dense_pose, body).view(np.bool_)


RECIPES: dict[str, Recipe] = {"fitting-room": fitting_room}


def _check(label_map: LabelMap, dense_pose: LabelMap | None, keypoints: NDArray[np.floating]) -> None:
    maps = {"label map": label_map} | ({} if dense_pose is None else {"dense pose": dense_pose})
    for name, ids in maps.items():
        if ids.dtype != np.uint8 or ids.ndim != 2 or ids.shape != label_map.shape or not ids.size:
            rule = f"is uint8 (H, W) as large as the label map, {label_map.shape}"
            raise TryOnError(name, rule=rule, value=f"{ids.dtype} {ids.shape}")
    if keypoints.shape != (18, 3):
        raise TryOnError("keypoints", rule="is float (18, 3): x, y, score", value=keypoints.shape)
