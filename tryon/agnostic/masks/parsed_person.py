"""One person's maps as recipes and audit see them: cut to where there is anything, and read once for both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tryon.agnostic.masks.body import Body, body_from_keypoints, hip_half_width
from tryon.agnostic.masks.regions import Mask, Window, bounding_window, subsample
from tryon.categories import Category
from tryon.errors import TryOnError

LabelMap = NDArray[np.uint8]

_MARGIN = 0.035
"""How far the window reaches beyond label map and DensePose, in heights: farther than any growth within it."""

_COARSE_ROWS = 256
"""So many rows are enough for shapes: a garment's margin is three pixels there, and DensePose errs by more than one."""

_STEPS = (4, 2)
"""Of how many pixels one may be taken for the coarse scene, each way."""


@dataclass(frozen=True, eq=False)
class ParsedPerson:
    """The arguments of a recipe, and what is told from them.

    Regions in which something was found in label map or DensePose lie in a window of the image, for most of a image
    is background; shapes drawn from the joints alone are as large as the image.

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
    _cache: dict[tuple[Any, ...], Mask] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        maps = {"label map": self.label_map} | ({} if self.dense_pose is None else {"dense pose": self.dense_pose})
        for name, ids in maps.items():
            if ids.dtype != np.uint8 or ids.ndim != 2 or ids.shape != self.label_map.shape or not ids.size:
                rule = f"is uint8 (H, W) as large as the label map, {self.label_map.shape}"
                raise TryOnError(name, expected=rule, found=f"{ids.dtype} {ids.shape}")
        if self.keypoints.shape != (18, 3):
            raise TryOnError("keypoints", expected="is float (18, 3): x, y, score", found=self.keypoints.shape)

    @property
    def height(self) -> int:
        """Of the image."""
        return len(self.label_map)

    @cached_property
    def step(self) -> int:
        """How many pixels, each way, one of the coarse scene stands for."""
        height, width = self.label_map.shape
        fits = (step for step in _STEPS if height >= step * _COARSE_ROWS and not (height % step or width % step))
        return next(fits, 1)

    @cached_property
    def downsampled(self) -> ParsedPerson:
        """The scene of fewer pixels in which shapes are told; itself where it is as small already.

        What a garment may cover has no fine edge, and costs a quarter this way or less. What is worn and what is kept
        have, and are told in all pixels. Its window is this one's, so that `enlarge` leads back.
        """
        step = self.step
        if step == 1:
            return self
        dense = None if self.dense_pose is None else subsample(self.dense_pose, step)
        coarse = ParsedPerson(subsample(self.label_map, step), dense, self.keypoints)
        vars(coarse).update(body=self.body.reduced(step), box=self.box.reduced(step), hips=self.hips / step, step=1)
        return coarse

    @cached_property
    def body(self) -> Body:
        """The joints, in the whole image."""
        return body_from_keypoints(self.keypoints, *self.label_map.shape)

    @cached_property
    def box(self) -> Window:
        """The window."""
        anything = self.label_map if self.dense_pose is None else self.label_map | self.dense_pose
        return bounding_window(anything, 1 + round(_MARGIN * self.height), self.step)

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

    def empty_mask(self) -> Mask:
        """An empty region of the whole image."""
        return np.zeros(self.label_map.shape, np.uint8)

    def cached(self, tell: Callable[..., Mask], *of: Category) -> Mask:
        """`tell(self, *of)`, worked out at the first call; not to be changed."""
        key = (tell, *of)
        if key not in self._cache:
            self._cache[key] = tell(self, *of)
            self._cache[key].setflags(write=False)
        return self._cache[key]
