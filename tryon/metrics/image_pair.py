"""One result beside its true image: maps of how far they agree, each made once, and means of maps inside regions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.metrics.similarity import PyramidLevel, channel_mean, halved

ImageBatch = NDArray[np.uint8]
"""A batch of images, uint8 (N, H, W, 3), RGB."""

Rows = dict[str, NDArray[np.float64]]
"""For each region one number per image, float64 (N,); NaN where the region is empty."""

RegionScores = dict[str, float]
"""For each region the number of one image."""

Map = NDArray[np.float32]
"""Local values, float32 (H, W)."""


class ImagePair:
    """Maps and regions of one pair; every metric of the pair takes what it needs from here.

    Args:
        result, target: uint8 (H, W, 3).
        regions: bool (H, W) by name, True = counts; None is the whole image.
    """

    def __init__(
        self, result: NDArray[np.uint8], target: NDArray[np.uint8], regions: Mapping[str, NDArray[np.bool_] | None]
    ) -> None:
        self._result, self._target = result, target
        self._masks = {
            name: None if own is None else np.ascontiguousarray(own, np.bool_) for name, own in regions.items()
        }

    @property
    def regions(self) -> tuple[str, ...]:
        """Names of the regions."""
        return tuple(self._masks)

    @cached_property
    def absolute(self) -> Map:
        """Absolute difference, 0 to 255, mean of the channels."""
        return channel_mean(cv2.absdiff(self._result, self._target).astype(np.float32))

    @cached_property
    def squared(self) -> Map:
        """Squared difference, 0 to 255², mean of the channels."""
        return channel_mean(self.scales[0].squared_difference)

    @cached_property
    def scales(self) -> list[PyramidLevel]:
        """The pair at its own size, and at each next entry at half the size; see `scale`."""
        return [PyramidLevel.of(self._result, self._target)]

    def scale(self, number: int) -> PyramidLevel:
        """The pair reduced `number` times to half its size by averaging 2x2 pixels."""
        while len(self.scales) <= number:
            self.scales.append(self.scales[-1].halved())
        return self.scales[number]

    def means(self, local: Map) -> RegionScores:
        """Mean of a map of the pair's own size inside each region; NaN for an empty one."""
        return {name: mean_inside(local, mask) for name, mask in self._masks.items()}

    @cached_property
    def region_weights(self) -> list[dict[str, Map | None]]:
        """By scale, how much of each pixel lies in each region, 0 to 1."""
        return [{name: None if own is None else own.astype(np.float32) for name, own in self._masks.items()}]

    def weighted_means(self, local: Map, scale: int, border: int = 0) -> RegionScores:
        """Mean of a map at a scale, each pixel weighted with its share of the region; NaN for an empty region.

        Args:
            local: of the size of `scale`, less `border` pixels on every side.
            scale: number of halvings.
            border: what the map lacks.
        """
        while len(self.region_weights) <= scale:
            self.region_weights.append(
                {name: None if own is None else halved(own) for name, own in self.region_weights[-1].items()}
            )
        return {name: _weighted(local, own, border) for name, own in self.region_weights[scale].items()}


def mean_inside(local: Map, mask: NDArray[np.bool_] | None) -> float:
    """Mean of a map, float32 (H, W), over the pixels of a mask, summed in float64; NaN where it has none."""
    if mask is None:
        return cv2.mean(local)[0]
    return cv2.mean(local, mask.view(np.uint8))[0] if mask.any() else float("nan")


def _weighted(local: Map, share: Map | None, border: int) -> float:
    if share is None:
        return cv2.mean(local)[0]
    share = np.ascontiguousarray(crop_border(share, border))
    total = cv2.sumElems(share)[0]
    return cv2.sumElems(cv2.multiply(local, share))[0] / total if total else float("nan")


def crop_border(values: Map, border: int) -> Map:
    """The map without `border` pixels on every side."""
    return values[border:-border, border:-border] if border else values


def check_pair(results: ImageBatch, targets: ImageBatch) -> None:
    """Programming errors only: images of two shapes or of another type are never compared."""
    assert results.dtype == targets.dtype == np.uint8, (results.dtype, targets.dtype)
    assert results.shape == targets.shape, (results.shape, targets.shape)
    assert results.ndim == 4, results.shape
    assert results.shape[-1] == 3, results.shape
