"""Backgrounds: the shop photographer's studio, quiet walls, and places where people really stand.

Never quite flat, so that a network sees where a warp has left the garment. Painted at a quarter of their size and
scaled up, as soft as what lies behind a person in focus.
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

_COARSE = 4
_HIGH, _WIDE = HEIGHT // _COARSE, WIDTH // _COARSE
_GRAIN = 128


def paint_background(rng: np.random.Generator, floor: float | None, level: Level) -> NDArray[np.uint8]:
    """Paint what stands behind a person, and the floor below.

    Args:
        rng: draws place, colors, texture and light.
        floor: pixel row where wall and floor meet, None when only the wall is in the image.
        level: `catalogue`: a light studio; `easy`: a studio or a textured wall; `wild`: also rooms, streets, gardens.

    Returns:
        uint8 (1024, 768, 3), RGB.
    """
    row = _HIGH + 99.0 if floor is None else floor / _COARSE
    draw = rng.random()
    if level == "wild" and draw < 0.85:
        scene = _place(rng, row)
    elif level == "catalogue" or draw < 0.4:
        scene = _studio(rng, row)
    else:
        scene = _wall(rng, row)
    small = cv2.convertScaleAbs(np.clip(scene, 0, 252))
    whole = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    return cv2.add(whole, _grain())  # pyright: ignore[reportReturnType]


@cache
def _grain() -> NDArray[np.uint8]:
    """Grain of the film, 0 to 3 gray levels, kept for the next image: uint8 (1024, 768, 3)."""
    noise = np.random.default_rng(1).standard_normal((_GRAIN, _GRAIN), np.float32)
    levels = np.clip(np.round(cv2.GaussianBlur(noise, (0, 0), 0.7) * 1.6 + 1.5), 0, 3).astype(np.uint8)
    return cv2.merge([cv2.repeat(levels, HEIGHT // _GRAIN, WIDTH // _GRAIN)] * 3)  # pyright: ignore[reportReturnType]


def _studio(rng: np.random.Generator, floor: float) -> Floats:
    """Paper that runs from the wall onto the floor in a curve, lit from the upper left."""
    warmth = rng.normal(0, 2.2)
    tone = rng.uniform(200, 246) + rng.normal(0, 0.8, 3) + (warmth, 0.2 * warmth, -warmth)
    paper = mottled(rng, (_HIGH, _WIDE), rng.uniform(0.8, 2.2))
    curve = rng.uniform(8, 34)
    below = np.clip((_rows() - floor) / curve + 0.5, 0, 1)
    below = below * below * (3 - 2 * below)
    shadow = np.exp(-(((_rows() - floor) / (curve * 1.6)) ** 2)) * rng.uniform(0, 0.035)
    brightness = (1 + below * rng.uniform(-0.09, 0.02) - shadow)[:, None] * _light(rng, rng.uniform(0.03, 0.1))
    return cv2.merge([(paper + channel) * brightness for channel in tone.tolist()])  # pyright: ignore[reportReturnType]


def _wall(rng: np.random.Generator, floor: float) -> Floats:
    """A textured wall over a textured floor."""
    wall = surface(rng, (_HIGH, _WIDE))
    _lay_floor(rng, wall, surface, floor, 3)
    return wall * _light(rng, 0.16)[..., None]


def _place(rng: np.random.Generator, floor: float) -> Floats:
    """A room, a street or a garden, in light that is not quite white."""
    scene, grounds = SCENES[rng.integers(len(SCENES))]
    image = scene(rng, (_HIGH, _WIDE))
    _lay_floor(rng, image, grounds[rng.integers(len(grounds))], floor, rng.uniform(1.5, 5))
    image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.6))
    tint = rng.normal(1, 0.05, (2, 3))
    share = np.linspace(0, 1, _WIDE, dtype=np.float32)[:, None]
    colors = (tint[0] * (1 - share) + tint[1] * share).astype(np.float32)
    return image * colors[None] * _light(rng, rng.uniform(0.1, 0.35))[..., None]


def _lay_floor(rng: np.random.Generator, wall: Floats, ground: Scene, floor: float, softness: float) -> None:
    """Paint a floor over the lower part of a wall, a shadow in the corner between them."""
    first = max(int(floor - softness), 0)
    if first >= _HIGH:
        return
    lower, rows = wall[first:], _rows()
    ramp = np.clip((rows[first:] - floor) / softness + 0.5, 0, 1)[:, None, None]
    lower += (ground(rng, lower.shape[:2]) * np.float32(0.9) - lower) * ramp
    wall *= (1 - 0.14 * np.exp(-np.abs(rows - floor) / 5))[:, None, None]


def _rows() -> Floats:
    return np.arange(_HIGH, dtype=np.float32)


def _light(rng: np.random.Generator, fall: float) -> Floats:
    """Brightness (h, w): full around a spot up on the left, less by `fall` towards the farthest corner."""
    x, y = rng.uniform(-0.5, 0.1), rng.uniform(-0.5, 0.0)
    across = (np.linspace(-1, 1, _WIDE, dtype=np.float32) - x) ** 2
    down = (np.linspace(-1, 1, _HIGH, dtype=np.float32) - y) ** 2
    away = across[None] + down[:, None]
    return 1 + np.float32(fall) * (0.2 - away / away.max())
