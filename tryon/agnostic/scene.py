"""One person's maps as recipes and audit see them: cut to where there is anything, and read once for both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tryon.agnostic.body import Body, body_from_keypoints, hip_half_width
from tryon.agnostic.regions import Box, Region, box_around, ids_of, look_up
from tryon.categories import Category
from tryon.dresscode.labels import GARMENT_LABELS
from tryon.errors import TryOnError

GARMENTS = {category: ids_of(labels) for category, labels in GARMENT_LABELS.items()}

LabelMap = NDArray[np.uint8]

_MARGIN = 0.035
"""How far the window reaches beyond label map and DensePose, in heights: farther than any growth within it."""


@dataclass(frozen=True, eq=False)
class Scene:
    """The arguments of a recipe, and what is told from them.

    Regions in which something was found in label map or DensePose lie in a window of the picture, for most of a picture
    is background; shapes drawn from the joints alone are as large as the picture.

    Args:
        label_map: as in `agnostic_mask`.
        dense_pose: as in `agnostic_mask`.
        keypoints: as in `agnostic_mask`.

    Raises:
        TryOnError: shapes or dtypes are not as there.
    """

    label_map: LabelMap
    dense_pose: LabelMap | None
    keypoints: NDArray[np.floating]
    _told: dict[tuple[Any, ...], Region] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        maps = {"label map": self.label_map} | ({} if self.dense_pose is None else {"dense pose": self.dense_pose})
        for name, ids in maps.items():
            if ids.dtype != np.uint8 or ids.ndim != 2 or ids.shape != self.label_map.shape or not ids.size:
                rule = f"is uint8 (H, W) as large as the label map, {self.label_map.shape}"
                raise TryOnError(name, rule=rule, value=f"{ids.dtype} {ids.shape}")
        if self.keypoints.shape != (18, 3):
            raise TryOnError("keypoints", rule="is float (18, 3): x, y, score", value=self.keypoints.shape)

    @property
    def height(self) -> int:
        """Of the picture."""
        return len(self.label_map)

    @cached_property
    def body(self) -> Body:
        """The joints, in the whole picture."""
        return body_from_keypoints(self.keypoints, *self.label_map.shape)

    @cached_property
    def box(self) -> Box:
        """The window."""
        anything = self.label_map if self.dense_pose is None else self.label_map | self.dense_pose
        return box_around(anything, 1 + round(_MARGIN * self.height))

    @cached_property
    def labels(self) -> LabelMap:
        """The label map in the window."""
        return np.ascontiguousarray(self.label_map[self.box.window])

    @cached_property
    def dense(self) -> LabelMap | None:
        """DensePose in the window."""
        return None if self.dense_pose is None else np.ascontiguousarray(self.dense_pose[self.box.window])

    @cached_property
    def hips(self) -> float:
        """Half-width of the hips, pixels."""
        return hip_half_width(self.dense_pose, self.body)

    def nothing(self) -> Region:
        """An empty region of the whole picture."""
        return np.zeros(self.label_map.shape, np.uint8)

    def once(self, tell: Callable[..., Region], *of: Category) -> Region:
        """`tell(self, *of)`, worked out at the first call; not to be changed."""
        key = (tell, *of)
        if key not in self._told:
            self._told[key] = tell(self, *of)
            self._told[key].setflags(write=False)
        return self._told[key]


def worn_garment(scene: Scene, category: Category) -> Region:
    """Labels under which a worn garment of the category is found, in the scene's window."""
    return look_up(scene.labels, GARMENTS[category])
