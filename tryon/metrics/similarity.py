"""Maps of structural similarity (Wang et al. 2004), for SSIM and MS-SSIM.

With u = x + y - 255 and v = x - y, the means, variances and covariance of the formula follow from four blurred maps,
those of u, v, u² and v²: E[u²] - E[u]² ± (E[v²] - E[v]²) is twice the sum of variances and four times the covariance.
So with U = E[u] + 255

    luminance  (U² - E[v]² + 2 c1) / (U² + E[v]² + 2 c1)
    contrast   (var u - var v + 2 c2) / (var u + var v + 2 c2)

Variances are differences of large numbers, which lose digits in float32; subtracting 255 keeps them small.

torchmetrics blurs five maps with a two-dimensional kernel. A Gaussian is separable, so this is about twenty times
faster on a CPU (`benchmarks/metrics.py`). Tests compare with torchmetrics.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

SIGMA, WINDOW = 1.5, 11
"""Standard deviation and side of the Gaussian window in pixels."""

REACH = WINDOW // 2
"""Radius of the window in pixels."""

K1, K2 = 0.01, 0.03

Map = NDArray[np.float32]

_MIDDLE = 255
_GAUSSIAN = np.exp(-((np.arange(WINDOW) - REACH) ** 2) / (2 * SIGMA**2))
_KERNEL = (_GAUSSIAN / _GAUSSIAN.sum()).astype(np.float32)
_KERNEL[REACH] += 1 - _KERNEL.sum(dtype=np.float64)  # a sum that is not exactly 1 biases every variance
_C1, _C2 = ((k * 255) ** 2 for k in (K1, K2))
_MEAN = np.full((1, 3), 1 / 3, np.float32)


@dataclass(frozen=True)
class PyramidLevel:
    """A pair at one size, as sum (minus 255) and difference: float32 (H, W, 3), -255 to 255."""

    total: Map
    difference: Map

    @classmethod
    def of(cls, result: NDArray[np.uint8], target: NDArray[np.uint8]) -> PyramidLevel:
        """Build the level from images, uint8 (H, W, 3)."""
        total = cv2.addWeighted(result, 1, target, 1, -_MIDDLE, dtype=cv2.CV_32F)
        return cls(_float(total), _float(cv2.subtract(result, target, dtype=cv2.CV_32F)))

    def halved(self) -> PyramidLevel:
        """Return the pair at half the size; the last line of an odd side is dropped."""
        return PyramidLevel(halved(self.total), halved(self.difference))

    @cached_property
    def squared_difference(self) -> Map:
        """Squared difference, (H, W, 3)."""
        return _squared(self.difference)

    @cached_property
    def contrast(self) -> Map:
        """Local contrast and structure, -1 to 1, mean over channels, (H, W)."""
        return channel_mean(self._contrast)

    @cached_property
    def similarity(self) -> Map:
        """Local similarity, -1 to 1 (equal), mean over channels, (H, W); the border is reflected."""
        return channel_mean(_float(cv2.multiply(self._contrast, self._luminance())))

    @cached_property
    def _blurred(self) -> tuple[Map, Map]:
        """E[u] and E[v]²."""
        difference = _blur(self.difference)
        return _blur(self.total), _squared(difference)

    @cached_property
    def _contrast(self) -> Map:
        total, squared_mean = self._blurred
        total_variance = cv2.subtract(_blur(_squared(self.total), 2 * _C2), _squared(total))
        difference_variance = cv2.subtract(_blur(self.squared_difference), squared_mean)
        return _ratio(_float(total_variance), _float(difference_variance))

    def _luminance(self) -> Map:
        total, squared_mean = self._blurred
        return _ratio(_squared(total + np.float32(_MIDDLE)) + np.float32(2 * _C1), squared_mean)


def channel_mean(values: Map) -> Map:
    """Average three channels, float32 (H, W, 3) to (H, W)."""
    return _float(cv2.transform(values, _MEAN))


def halved(values: Map) -> Map:
    """Average each 2x2 pixels; the last line of an odd side is dropped."""
    height, width = (side // 2 for side in values.shape[:2])
    even = np.ascontiguousarray(values[: 2 * height, : 2 * width])
    return _float(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA))


def _blur(values: Map, offset: float = 0.0) -> Map:
    return _float(cv2.sepFilter2D(values, -1, _KERNEL, _KERNEL, delta=offset, borderType=cv2.BORDER_REFLECT_101))


def _squared(values: Map) -> Map:
    return _float(cv2.multiply(values, values))


def _ratio(a: Map, b: Map) -> Map:
    """Compute (a - b) / (a + b)."""
    return _float(cv2.divide(cv2.subtract(a, b), cv2.add(a, b)))


def _float(values: object) -> Map:
    """Narrow the type of an OpenCV result, whose stubs say float or integer."""
    assert isinstance(values, np.ndarray)
    assert values.dtype == np.float32, values.dtype
    return values
