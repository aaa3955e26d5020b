"""Classify the texture of a garment as plain, striped or printed from the gradients of its image.

The thresholds separate the patterns of the synthetic data set, whose names are known (see `docs/log.md`).
"""

from __future__ import annotations

from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

HEIGHT = 128
"""Height at which images are analyzed: finer structure is weave, not pattern."""

PLAIN_BELOW = 0.045
"""Mean gradient magnitude, in fractions of full brightness per pixel; folds and shading stay below."""

STRIPED_ABOVE = 0.5
"""Coherence of the structure tensor: 0 for gradients in all directions, 1 for one direction."""

_BACKGROUND = 0.04
"""Maximum difference of a background pixel from the background color."""

_MIN_PIXELS = 50
"""Garment pixels below which the texture is unknown."""

Bits = NDArray[np.uint8]
Floats = NDArray[np.float32]


class Texture(StrEnum):
    """Textures that gradients distinguish."""

    PLAIN = "plain"
    STRIPED = "striped"
    PRINTED = "printed"


def texture_of(garment: NDArray[np.uint8]) -> Texture | None:
    """Classify the texture of a garment.

    Args:
        garment: uint8 (H, W, 3) RGB, flat on a background of one color.

    Returns:
        None if too few garment pixels are visible.
    """
    image = _downscale(garment).astype(np.float32) / np.float32(255)
    inside = _garment_interior(image)
    if np.count_nonzero(inside) < _MIN_PIXELS:
        return None
    across, down = (_gradient(image, *step)[inside] for step in ((1, 0), (0, 1)))
    if np.sqrt((across**2 + down**2).sum(axis=1)).mean() < PLAIN_BELOW:
        return Texture.PLAIN
    return Texture.STRIPED if _coherence(across, down) > STRIPED_ABOVE else Texture.PRINTED


def _downscale(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    if height <= HEIGHT:
        return image
    size = (max(1, round(width * HEIGHT / height)), HEIGHT)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _garment_interior(image: Floats) -> NDArray[np.bool_]:
    """Return the garment without its outline; holes in the background color belong to it.

    `baselines.garment_pixels` is not used, because it returns the whole image, outlines included, for white garments.
    """
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    differs = np.abs(image - np.median(border, axis=0)).max(axis=2) > _BACKGROUND
    outlines, _ = cv2.findContours(differs.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    filled: Bits = cv2.drawContours(np.zeros(differs.shape, np.uint8), outlines, -1, 1, cv2.FILLED).astype(np.uint8)
    rim = max(1, round(image.shape[0] / 48))
    return cv2.erode(filled, np.ones((2 * rim + 1, 2 * rim + 1), np.uint8), borderValue=0).astype(bool)


def _gradient(image: Floats, x: int, y: int) -> Floats:
    return cv2.Sobel(image, cv2.CV_32F, x, y, scale=1 / 8).astype(np.float32, copy=False)


def _coherence(across: Floats, down: Floats) -> float:
    """Return (λ1 - λ2) / (λ1 + λ2) of the structure tensor (Bigün and Granlund 1987)."""
    xx, yy, xy = (float((a * b).sum()) for a, b in ((across, across), (down, down), (across, down)))
    return float(np.hypot(xx - yy, 2 * xy) / (xx + yy))
