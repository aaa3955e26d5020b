"""The maps of one person, cropped to a window, with masks cached for mask methods and audit."""

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
"""Margin of the window around label map and DensePose, in heights; larger than any dilation within it."""

_COARSE_ROWS = 256
"""Rows that suffice for coverage: a garment's margin is three pixels there, and DensePose errs by more than one."""

_STEPS = (4, 2)
"""Reduction factors of the downsampled person."""


@dataclass(frozen=True, eq=False)
class ParsedPerson:
    """Arguments of a mask method, and what is derived from them.

    Masks from label map or DensePose cover a window of the image, since most of an image is background; shapes drawn
    from joints cover the full image.

    Args:
        label_map: as in `agnostic_mask`.
        dense_pose: as in `agnostic_mask`.
        keypoints: as in `agnostic_mask`.

    Raises:
        TryOnError: shapes or dtypes differ from that.
    """

    label_map: LabelMap
    dense_pose: LabelMap | None
    keypoints: NDArray[np.floating]
    _cache: dict[tuple[Any, ...], Mask] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        maps = {"label map": self.label_map} | ({} if self.dense_pose is None else {"dense pose": self.dense_pose})
        for name, ids in maps.items():
            if ids.dtype != np.uint8 or ids.ndim != 2 or ids.shape != self.label_map.shape or not ids.size:
                raise TryOnError(
                    f"{name} is not a valid id map",
                    found=f"{ids.dtype} {ids.shape}",
                    expected=f"uint8 (H, W) of the label map's shape, {self.label_map.shape}",
                )
        if self.keypoints.shape != (18, 3):
            raise TryOnError(
                "keypoints have a wrong shape", found=self.keypoints.shape, expected="float (18, 3): x, y, score"
            )

    @property
    def height(self) -> int:
        """Height of the image."""
        return len(self.label_map)

    @cached_property
    def step(self) -> int:
        """Reduction factor of the downsampled person."""
        height, width = self.label_map.shape
        fits = (step for step in _STEPS if height >= step * _COARSE_ROWS and not (height % step or width % step))
        return next(fits, 1)

    @cached_property
    def downsampled(self) -> ParsedPerson:
        """The person at reduced resolution, or itself if it is small already.

        Coverage is coarse and takes a quarter of the time or less there; garment and protected regions stay at full
        resolution. The window is the same, so `upsample` leads back.
        """
        step = self.step
        if step == 1:
            return self
        dense = None if self.dense_pose is None else subsample(self.dense_pose, step)
        coarse = ParsedPerson(subsample(self.label_map, step), dense, self.keypoints)
        window = self.window.reduced(step)
        vars(coarse).update(body=self.body.reduced(step), window=window, hips=self.hips / step, step=1)
        return coarse

    @cached_property
    def body(self) -> Body:
        """Joints, in the full image."""
        return body_from_keypoints(self.keypoints, *self.label_map.shape)

    @cached_property
    def window(self) -> Window:
        """Window around label map and DensePose."""
        foreground = self.label_map if self.dense_pose is None else self.label_map | self.dense_pose
        return bounding_window(foreground, 1 + round(_MARGIN * self.height), self.step)

    @cached_property
    def labels(self) -> LabelMap:
        """The label map in the window."""
        return np.ascontiguousarray(self.label_map[self.window.slices])

    @cached_property
    def dense(self) -> LabelMap | None:
        """DensePose in the window."""
        return None if self.dense_pose is None else np.ascontiguousarray(self.dense_pose[self.window.slices])

    @cached_property
    def hips(self) -> float:
        """Half-width of the hips, pixels."""
        return hip_half_width(self.dense_pose, self.body)

    def empty_mask(self) -> Mask:
        """Return an empty mask of the full image."""
        return np.zeros(self.label_map.shape, np.uint8)

    def cached(self, compute: Callable[..., Mask], *args: Category) -> Mask:
        """Return `compute(self, *args)`, computed at the first call, read-only."""
        key = (compute, *args)
        if key not in self._cache:
            self._cache[key] = compute(self, *args)
            self._cache[key].setflags(write=False)
        return self._cache[key]
