"""Backgrounds: soft textured walls and floors. Never flat, so that a network sees where a warp has left the garment."""

from __future__ import annotations

import cv2
import numpy as np

from tryon.dresscode.layout import HEIGHT, WIDTH
from tryon.synthetic.levels import Level
from tryon.synthetic.paint.raster import Floats

_COARSE = 4  # the wall is painted at a quarter of its size


def paint_background(rng: np.random.Generator, floor: float | None, level: Level) -> Floats:
    """Paint a wall, and a floor below it.

    Args:
        rng: draws colours and texture.
        level: how quiet the scene is.
        floor: pixel row where wall and floor meet, None when only the wall is in the picture.

    Returns:
        float32 (1024, 768, 3), RGB 0..255.
    """
    height, width = HEIGHT // _COARSE, WIDTH // _COARSE
    wall = _surface(rng, height, width, rng.uniform(6, 16))
    if floor is not None and floor < HEIGHT:
        ground = _surface(rng, height, width, rng.uniform(6, 14)) * 0.92
        ramp = np.clip((np.arange(height) - floor / _COARSE) / 3 + 0.5, 0, 1)[:, None, None]
        wall = wall * (1 - ramp) + ground * ramp
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    light = 1.06 - 0.16 * ((x + 0.35) ** 2 + (y + 0.3) ** 2) / 2
    picture = np.clip(wall * light[..., None], 0, 255).astype(np.float32)
    return cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)  # pyright: ignore[reportReturnType]


def _surface(rng: np.random.Generator, height: int, width: int, strength: float) -> np.ndarray:
    """A tinted surface with blotches of several sizes and, sometimes, vertical panels; float64 (h, w, 3)."""
    grey = rng.uniform(150, 232)
    tint = rng.normal(0, 7, 3)
    noise = np.zeros((height, width))
    for cells, share in ((4, 1.0), (11, 0.8), (30, 0.55), (80, 0.3)):
        grid = rng.normal(size=(cells * 4 // 3, cells)).astype(np.float32)
        noise += share * cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.3:
        noise += 1.3 * np.sign(np.sin(np.arange(width) / width * np.pi * rng.uniform(5, 12) + rng.uniform(0, 6)))
    colour = rng.normal(1.0, 0.12, 3)
    return grey + tint + strength * noise[..., None] * colour
