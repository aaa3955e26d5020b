"""A result and its ground truth: maps of their difference, computed once, and means of maps over regions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.metrics.similarity import PyramidLevel, channel_mean, halved

ImageBatch = NDArray[np.uint8]
"""A batch of images, uint8 (N, H, W, 3), RGB."""

BatchScores = dict[str, NDArray[np.float64]]
"""Scores by region, one per image: float64 (N,), NaN where the region is empty."""

RegionScores = dict[str, float]
"""Score of one image by region."""

Map = NDArray[np.float32]
"""Local values, float32 (H, W)."""


class ImagePair:
    """Maps and regions of one pair, shared by all metrics of the pair.

    Args:
        result, target: uint8 (H, W, 3).
        regions: bool (H, W) by name, True = included; None is the complete image.
    """

    def __init__(
        self, result: NDArray[np.uint8], target: NDArray[np.uint8], regions: Mapping[str, NDArray[np.bool_] | None]
    ) -> None:
        self._result, self._target = result, target
        self._masks = {
            name: None if mask is None else np.ascontiguousarray(mask, np.bool_) for name, mask in regions.items()
        }

    @property
    def regions(self) -> tuple[str, ...]:
        """Names of the regions."""
        return tuple(self._masks)

    @cached_property
    def absolute(self) -> Map:
        """Absolute difference, 0 to 255, mean over channels."""
        return channel_mean(cv2.absdiff(self._result, self._target).astype(np.float32))

    @cached_property
    def squared(self) -> Map:
        """Squared difference, 0 to 255², mean over channels."""
        return channel_mean(self.scales[0].squared_difference)

    @cached_property
    def scales(self) -> list[PyramidLevel]:
        """The pair at full size and, as far as computed by `scale`, halved repeatedly."""
        return [PyramidLevel.of(self._result, self._target)]

    def scale(self, number: int) -> PyramidLevel:
        """Return the pair halved `number` times, averaging 2x2 pixels."""
        while len(self.scales) <= number:
            self.scales.append(self.scales[-1].halved())
        return self.scales[number]

    def means(self, local: Map) -> RegionScores:
        """Compute the mean of a full-size map over each region; NaN for an empty one."""
        return {name: mean_inside(local, mask) for name, mask in self._masks.items()}

    @cached_property
    def region_weights(self) -> list[dict[str, Map | None]]:
        """Fraction of each pixel inside each region, by scale."""
        return [{name: None if mask is None else mask.astype(np.float32) for name, mask in self._masks.items()}]

    def weighted_means(self, local: Map, scale: int, border: int = 0) -> RegionScores:
        """Compute the mean of a map over each region, weighting pixels by `region_weights`; NaN for an empty region.

        Args:
            local: map of the size of `scale`, less `border` pixels on every side.
            scale: number of halvings.
            border: pixels cropped from the map on every side.
        """
        while len(self.region_weights) <= scale:
            self.region_weights.append(
                {name: None if weight is None else halved(weight) for name, weight in self.region_weights[-1].items()}
            )
        return {name: _weighted(local, weight, border) for name, weight in self.region_weights[scale].items()}


def mean_inside(local: Map, mask: NDArray[np.bool_] | None) -> float:
    """Compute the mean of a map, float32 (H, W), over a mask, in float64; NaN for an empty mask."""
    if mask is None:
        return cv2.mean(local)[0]
    return cv2.mean(local, mask.view(np.uint8))[0] if mask.any() else float("nan")


def _weighted(local: Map, weight: Map | None, border: int) -> float:
    if weight is None:
        return cv2.mean(local)[0]
    weight = np.ascontiguousarray(crop_border(weight, border))
    total = cv2.sumElems(weight)[0]
    return cv2.sumElems(cv2.multiply(local, weight))[0] / total if total else float("nan")


def crop_border(values: Map, border: int) -> Map:
    """Crop `border` pixels on every side."""
    return values[border:-border, border:-border] if border else values


def check_pair(results: ImageBatch, targets: ImageBatch) -> None:
    """Assert that both batches are uint8 (N, H, W, 3) of one shape."""
    assert results.dtype == targets.dtype == np.uint8, (results.dtype, targets.dtype)
    assert results.shape == targets.shape, (results.shape, targets.shape)
    assert results.ndim == 4, results.shape
    assert results.shape[-1] == 3, results.shape
