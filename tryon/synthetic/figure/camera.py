"""Project body coordinates to pixels and sample the framing per category."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tryon.categories import Category, Level
from tryon.dresscode.layout import HEIGHT, WIDTH
from tryon.synthetic.paint.curves import Array


@dataclass(frozen=True)
class Camera:
    """A projection from body heights to pixels.

    Args:
        scale: pixels per body height.
        x: pixel column of x = 0.
        y: pixel row of y = 0 (the crown); negative where the head is cropped.

    >>> Camera(900.0, 384.0, 60.0)(np.array([0.0, 1.0])).tolist()
    [384.0, 960.0]
    """

    scale: float
    x: float
    y: float

    def __call__(self, points: Array) -> Array:
        """Project points (..., 2) in body heights to pixels."""
        pixels = points * self.scale
        pixels[..., 0] += self.x  # axis by axis, as in `curves.offset_points`
        pixels[..., 1] += self.y
        return pixels


_FRAMES = {
    Category.UPPER_BODY: ((0.07, 0.11), (0.63, 0.69)),
    Category.LOWER_BODY: ((0.26, 0.34), (1.0, 1.03)),
    Category.DRESSES: ((0.02, 0.1), (1.0, 1.04)),
}
"""Ranges of body heights at the top and bottom edge of the image. Heads are cropped as in catalogues, mostly between
eyes and mouth."""

_FULL_HEAD = (-0.06, -0.02)
"""Range at the top edge if the full head is visible."""

_FULL_HEAD_PROBABILITY: dict[Level, dict[Category, float]] = {
    "easy": {Category.UPPER_BODY: 0.0, Category.LOWER_BODY: 0.0, Category.DRESSES: 0.3},
    "catalogue": {Category.UPPER_BODY: 0.1, Category.LOWER_BODY: 0.0, Category.DRESSES: 0.35},
    "wild": {Category.UPPER_BODY: 0.5, Category.LOWER_BODY: 0.0, Category.DRESSES: 0.7},
}
_WILD_EXTENSION = 0.12
"""Maximum extension of a `wild` frame at the bottom, in body heights."""

_CENTER_DEVIATION: dict[Level, float] = {"easy": 4, "catalogue": 8, "wild": 22}
"""Standard deviation of the horizontal position in pixels."""


def sample_camera(category: Category, rng: np.random.Generator, level: Level) -> Camera:
    """Sample the framing of a category's photos."""
    top, bottom = (rng.uniform(*limits) for limits in _FRAMES[category])
    if rng.random() < _FULL_HEAD_PROBABILITY[level][category]:
        top = rng.uniform(*_FULL_HEAD)
    if level == "wild":
        bottom += rng.uniform(0, _WILD_EXTENSION)
    scale = HEIGHT / (bottom - top)
    return Camera(scale, WIDTH / 2 + rng.normal(0, _CENTER_DEVIATION[level]), -top * scale)
