"""Classify garment textures by image gradients.

The thresholds separate the named patterns of the synthetic data set (see `docs/log.md`).
"""

from __future__ import annotations

from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

MAX_HEIGHT = 128
"""Height at which images are analyzed: finer structure is weave, not pattern."""

PLAIN_BELOW = 0.045
"""Mean gradient magnitude in full brightness per pixel; folds and shading are weaker."""

STRIPED_ABOVE = 0.5
"""Coherence of the structure tensor: 0 for gradients in all directions, 1 for one direction."""

_BACKGROUND = 0.04
"""Maximum difference of a background pixel from the background color."""

_MIN_PIXELS = 50
"""Garment pixels below which the texture is unknown."""

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
    height, width = garment.shape[:2]
    if height > MAX_HEIGHT:
        size = (max(1, round(width * MAX_HEIGHT / height)), MAX_HEIGHT)
        garment = cv2.resize(garment, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    image = garment.astype(np.float32) / np.float32(255)
    inside = _garment_interior(image)
    if np.count_nonzero(inside) < _MIN_PIXELS:
        return None
    across, down = (
        cv2.Sobel(image, cv2.CV_32F, x, y, scale=1 / 8).astype(np.float32, copy=False)[inside]
        for x, y in ((1, 0), (0, 1))
    )
    if np.sqrt((across**2 + down**2).sum(axis=1)).mean() < PLAIN_BELOW:
        return Texture.PLAIN
    return Texture.STRIPED if _coherence(across, down) > STRIPED_ABOVE else Texture.PRINTED


def _garment_interior(image: Floats) -> NDArray[np.bool_]:
    """Return the garment without its outline, holes filled.

    `baselines.garment_pixels` is not used, because it returns the whole image, outlines included, for white garments.
    """
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    differs = np.abs(image - np.median(border, axis=0)).max(axis=2) > _BACKGROUND
    outlines, _ = cv2.findContours(differs.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    filled: NDArray[np.uint8] = cv2.drawContours(np.zeros(differs.shape, np.uint8), outlines, -1, 1, cv2.FILLED).astype(
        np.uint8
    )
    rim = max(1, round(image.shape[0] / 48))
    return cv2.erode(filled, np.ones((2 * rim + 1, 2 * rim + 1), np.uint8), borderValue=0).astype(bool)


def _coherence(across: Floats, down: Floats) -> float:
    """Return (λ1 - λ2) / (λ1 + λ2) of the structure tensor (Bigün and Granlund 1987)."""
    xx, yy, xy = (float((a * b).sum()) for a, b in ((across, across), (down, down), (across, down)))
    return float(np.hypot(xx - yy, 2 * xy) / (xx + yy))
