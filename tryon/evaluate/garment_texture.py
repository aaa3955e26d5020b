"""Plain, striped or printed: what the gradients inside a garment's flat image say, where nobody has written it down.

The thresholds are those that part the patterns of the synthetic twin, whose names are known: see `docs/log.md`.
"""

from __future__ import annotations

from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

HEIGHT = 128
"""Rows at which a image is looked at, whatever its size: finer than this is cloth and not pattern."""

PLAIN_BELOW = 0.045
"""Mean length of the gradient, in parts of full brightness a pixel; folds and shading of plain cloth stay below."""

STRIPED_ABOVE = 0.5
"""Coherence of the structure tensor: 0 where gradients point everywhere, 1 where all point along one line."""

_BACKGROUND = 0.04
"""Difference from the backdrop up to which a pixel may be backdrop."""

_FEWEST = 50
"""Pixels of cloth below which nothing can be said."""

Bits = NDArray[np.uint8]
Floats = NDArray[np.float32]


class Texture(StrEnum):
    """Kinds of pattern that gradients tell apart."""

    PLAIN = "plain"
    STRIPED = "striped"
    PRINTED = "printed"


def texture_of(garment: NDArray[np.uint8]) -> Texture | None:
    """The kind of pattern on a garment.

    Args:
        garment: uint8 (H, W, 3) RGB, laid flat on a backdrop of one color.

    Returns:
        None when too little cloth is seen.
    """
    image = _small(garment).astype(np.float32) / np.float32(255)
    inside = _cloth(image)
    if np.count_nonzero(inside) < _FEWEST:
        return None
    across, down = (_slopes(image, *step)[inside] for step in ((1, 0), (0, 1)))
    if np.sqrt((across**2 + down**2).sum(axis=1)).mean() < PLAIN_BELOW:
        return Texture.PLAIN
    return Texture.STRIPED if _coherence(across, down) > STRIPED_ABOVE else Texture.PRINTED


def _small(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    if height <= HEIGHT:
        return image
    size = (max(1, round(width * HEIGHT / height)), HEIGHT)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _cloth(image: Floats) -> NDArray[np.bool_]:
    """Where the garment is, without its outline: holes of the backdrop's own color belong to it.

    Not `baselines.garment_pixels`, which takes the whole image where a garment is white: outlines would count.
    """
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    differs = np.abs(image - np.median(border, axis=0)).max(axis=2) > _BACKGROUND
    outlines, _ = cv2.findContours(differs.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    whole: Bits = cv2.drawContours(np.zeros(differs.shape, np.uint8), outlines, -1, 1, cv2.FILLED).astype(np.uint8)
    rim = max(1, round(image.shape[0] / 48))
    return cv2.erode(whole, np.ones((2 * rim + 1, 2 * rim + 1), np.uint8), borderValue=0).astype(bool)


def _slopes(image: Floats, x: int, y: int) -> Floats:
    return cv2.Sobel(image, cv2.CV_32F, x, y, scale=1 / 8).astype(np.float32, copy=False)


def _coherence(across: Floats, down: Floats) -> float:
    """Difference of the structure tensor's eigenvalues by their sum (Bigün and Granlund 1987)."""
    xx, yy, xy = (float((one * other).sum()) for one, other in ((across, across), (down, down), (across, down)))
    return float(np.hypot(xx - yy, 2 * xy) / (xx + yy))
