"""Maps of structural similarity (Wang et al. 2004), for SSIM and MS-SSIM.

With u = x + y - 255 and v = x - y, both means, both variances and the covariance that the formula asks for follow from
four blurred maps, those of u, v, u² and v²: E[u²] - E[u]² ± (E[v²] - E[v]²) is twice the sum of variances and four
times the covariance. So with U = E[u] + 255

    luminance  (U² - E[v]² + 2 c1) / (U² + E[v]² + 2 c1)
    contrast   (var u - var v + 2 c2) / (var u + var v + 2 c2)

Variances are differences of large numbers, which lose digits in float32; taking 255 off keeps them small.

torchmetrics blurs five maps, and each with a two-dimensional kernel; a Gaussian is a product of two one-dimensional
ones, so this is some twenty times faster on a CPU (`benchmarks/metrics.py`). Tests hold it to torchmetrics' numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

SIGMA, WINDOW = 1.5, 11
"""The usual Gaussian window: standard deviation, and side in pixels."""

REACH = WINDOW // 2
"""How far from a pixel its window reaches."""

K1, K2 = 0.01, 0.03

Map = NDArray[np.float32]

_MIDDLE = 255
_GAUSSIAN = np.exp(-((np.arange(WINDOW) - REACH) ** 2) / (2 * SIGMA**2))
_KERNEL = (_GAUSSIAN / _GAUSSIAN.sum()).astype(np.float32)
_KERNEL[REACH] += 1 - _KERNEL.sum(dtype=np.float64)  # a sum that is off in the last digit is a bias of every variance
_C1, _C2 = ((k * 255) ** 2 for k in (K1, K2))
_MEAN = np.full((1, 3), 1 / 3, np.float32)


@dataclass(frozen=True)
class PyramidLevel:
    """A pair at one size, as sum (less 255) and difference of its images: float32 (H, W, 3), -255 to 255."""

    total: Map
    difference: Map

    @classmethod
    def of(cls, result: NDArray[np.uint8], target: NDArray[np.uint8]) -> PyramidLevel:
        """From the images, uint8 (H, W, 3)."""
        total = cv2.addWeighted(result, 1, target, 1, -_MIDDLE, dtype=cv2.CV_32F)
        return cls(_float(total), _float(cv2.subtract(result, target, dtype=cv2.CV_32F)))

    def halved(self) -> PyramidLevel:
        """At half the size; of an odd side the last line is left out."""
        return PyramidLevel(halved(self.total), halved(self.difference))

    @cached_property
    def squared_difference(self) -> Map:
        """The difference squared, (H, W, 3)."""
        return _squared(self.difference)

    @cached_property
    def contrast(self) -> Map:
        """Local contrast and structure, -1 to 1, mean of the channels, (H, W)."""
        return channel_mean(self._contrast)

    @cached_property
    def similarity(self) -> Map:
        """Local similarity, -1 to 1 (equal), mean of the channels, (H, W); the border is mirrored."""
        return channel_mean(_float(cv2.multiply(self._contrast, self._luminance())))

    @cached_property
    def _blurred(self) -> tuple[Map, Map]:
        """E[u] and E[v]²."""
        difference = _blur(self.difference)
        return _blur(self.total), _squared(difference)

    @cached_property
    def _contrast(self) -> Map:
        total, of_difference = self._blurred
        one = cv2.subtract(_blur(_squared(self.total), 2 * _C2), _squared(total))
        other = cv2.subtract(_blur(self.squared_difference), of_difference)
        return _ratio(_float(one), _float(other))

    def _luminance(self) -> Map:
        total, of_difference = self._blurred
        return _ratio(_squared(total + np.float32(_MIDDLE)) + np.float32(2 * _C1), of_difference)


def channel_mean(values: Map) -> Map:
    """Mean of three channels, float32 (H, W, 3) to (H, W)."""
    return _float(cv2.transform(values, _MEAN))


def halved(values: Map) -> Map:
    """Mean of each 2x2 pixels; of an odd side the last line is left out."""
    height, width = (side // 2 for side in values.shape[:2])
    even = np.ascontiguousarray(values[: 2 * height, : 2 * width])
    return _float(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA))


def _blur(values: Map, plus: float = 0.0) -> Map:
    return _float(cv2.sepFilter2D(values, -1, _KERNEL, _KERNEL, delta=plus, borderType=cv2.BORDER_REFLECT_101))


def _squared(values: Map) -> Map:
    return _float(cv2.multiply(values, values))


def _ratio(one: Map, other: Map) -> Map:
    """(one - other) / (one + other)."""
    return _float(cv2.divide(cv2.subtract(one, other), cv2.add(one, other)))


def _float(values: object) -> Map:
    """OpenCV's stubs say float or integer; it is float32."""
    assert isinstance(values, np.ndarray)
    assert values.dtype == np.float32, values.dtype
    return values
