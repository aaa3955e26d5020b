"""Paint backgrounds: photo studios, plain walls, and everyday scenes.

They are never quite flat, so that a network sees where a warp has left the garment. Painting at a quarter of the size
and scaling up gives the softness of a background behind a person in focus.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.categories import Level
from tryon.dresscode.layout import HEIGHT, WIDTH
from tryon.synthetic.paint.background_scenes import SCENES, Scene, mottled, surface
from tryon.synthetic.paint.raster import Floats

_SCALE = 4
_HEIGHT, _WIDTH = HEIGHT // _SCALE, WIDTH // _SCALE
_GRAIN_TILE = 128


def paint_background(rng: np.random.Generator, floor: float | None, level: Level) -> NDArray[np.uint8]:
    """Paint the background of a person and the floor, RGB uint8 (1024, 768, 3).

    Args:
        rng: draws scene, colors, texture and light.
        floor: pixel row where wall and floor meet; None if no floor is visible.
        level: `catalogue` gives a light studio, `easy` also textured walls, `wild` also rooms, streets and gardens.
    """
    row = _HEIGHT + 99.0 if floor is None else floor / _SCALE
    choice = rng.random()
    if level == "wild" and choice < 0.85:
        scene = _paint_scene(rng, row)
    elif level == "catalogue" or choice < 0.4:
        scene = _paint_studio(rng, row)
    else:
        scene = _paint_wall(rng, row)
    small = cv2.convertScaleAbs(np.clip(scene, 0, 252))
    full = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    return cv2.add(full, _grain())  # pyright: ignore[reportReturnType]


@cache
def _grain() -> NDArray[np.uint8]:
    """Return film grain of 0 to 3 gray levels: uint8 (1024, 768, 3)."""
    noise = np.random.default_rng(1).standard_normal((_GRAIN_TILE, _GRAIN_TILE), np.float32)
    levels = np.clip(np.round(cv2.GaussianBlur(noise, (0, 0), 0.7) * 1.6 + 1.5), 0, 3).astype(np.uint8)
    return cv2.merge([cv2.repeat(levels, HEIGHT // _GRAIN_TILE, WIDTH // _GRAIN_TILE)] * 3)  # pyright: ignore[reportReturnType]


def _paint_studio(rng: np.random.Generator, floor: float) -> Floats:
    """Paint a paper backdrop that curves from wall to floor, lit from the upper left."""
    warmth = rng.normal(0, 2.2)
    tone = rng.uniform(200, 246) + rng.normal(0, 0.8, 3) + (warmth, 0.2 * warmth, -warmth)
    paper = mottled(rng, (_HEIGHT, _WIDTH), rng.uniform(0.8, 2.2))
    curve = rng.uniform(8, 34)
    rows = np.arange(_HEIGHT, dtype=np.float32) - floor
    below = np.clip(rows / curve + 0.5, 0, 1)
    below = below * below * (3 - 2 * below)
    shadow = np.exp(-((rows / (curve * 1.6)) ** 2)) * rng.uniform(0, 0.035)
    brightness = (1 + below * rng.uniform(-0.09, 0.02) - shadow)[:, None] * _light(rng, rng.uniform(0.03, 0.1))
    return cv2.merge([(paper + channel) * brightness for channel in tone.tolist()])  # pyright: ignore[reportReturnType]


def _paint_wall(rng: np.random.Generator, floor: float) -> Floats:
    """Paint a textured wall over a textured floor."""
    wall = surface(rng, (_HEIGHT, _WIDTH))
    _paint_floor(rng, wall, surface, floor, 3)
    return wall * _light(rng, 0.16)[..., None]


def _paint_scene(rng: np.random.Generator, floor: float) -> Floats:
    """Paint a scene of `SCENES` in slightly colored light."""
    paint_scene, floors = SCENES[rng.integers(len(SCENES))]
    image = paint_scene(rng, (_HEIGHT, _WIDTH))
    _paint_floor(rng, image, floors[rng.integers(len(floors))], floor, rng.uniform(1.5, 5))
    image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.6))
    tint = rng.normal(1, 0.05, (2, 3))
    fraction = np.linspace(0, 1, _WIDTH, dtype=np.float32)[:, None]
    colors = (tint[0] * (1 - fraction) + tint[1] * fraction).astype(np.float32)
    return image * colors[None] * _light(rng, rng.uniform(0.1, 0.35))[..., None]


def _paint_floor(rng: np.random.Generator, wall: Floats, paint_surface: Scene, floor: float, softness: float) -> None:
    """Paint a floor over the lower part of `wall`, in place, with a shadow where they meet."""
    first = max(int(floor - softness), 0)
    if first >= _HEIGHT:
        return
    lower, rows = wall[first:], np.arange(_HEIGHT, dtype=np.float32)
    ramp = np.clip((rows[first:] - floor) / softness + 0.5, 0, 1)[:, None, None]
    lower += (paint_surface(rng, lower.shape[:2]) * np.float32(0.9) - lower) * ramp
    wall *= (1 - 0.14 * np.exp(-np.abs(rows - floor) / 5))[:, None, None]


def _light(rng: np.random.Generator, falloff: float) -> Floats:
    """Return brightness (h, w): 1 at a spot in the upper left, lower by `falloff` in the farthest corner."""
    x, y = rng.uniform(-0.5, 0.1), rng.uniform(-0.5, 0.0)
    across = (np.linspace(-1, 1, _WIDTH, dtype=np.float32) - x) ** 2
    down = (np.linspace(-1, 1, _HEIGHT, dtype=np.float32) - y) ** 2
    distance = across[None] + down[:, None]
    return 1 + np.float32(falloff) * (0.2 - distance / distance.max())
