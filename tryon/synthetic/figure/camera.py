"""From body heights to pixels, and how each category is framed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tryon.categories import Category, Level
from tryon.dresscode.layout import HEIGHT, WIDTH
from tryon.synthetic.paint.curves import Array


@dataclass(frozen=True)
class Camera:
    """A scale and an offset.

    Args:
        scale: pixels per body height.
        x: pixel column of x = 0.
        y: pixel row of y = 0 (the crown); negative where the head is cut off.
    """

    scale: float
    x: float
    y: float

    def __call__(self, points: Array) -> Array:
        """Pixels (..., 2) of points in body heights."""
        pixels = points * self.scale
        pixels[..., 0] += self.x  # one after the other, as in `curves.beside`
        pixels[..., 1] += self.y
        return pixels


_FRAMES = {
    Category.UPPER_BODY: ((0.07, 0.11), (0.63, 0.69)),
    Category.LOWER_BODY: ((0.26, 0.34), (1.0, 1.03)),
    Category.DRESSES: ((0.02, 0.1), (1.0, 1.04)),
}
"""Range of the body heights at the image's top and bottom edge. Heads are cut off as in the catalogue, mostly between
eyes and mouth."""

_WHOLE = (-0.06, -0.02)
"""The same at the top where the whole head is in the image."""

_WHOLE_SHARE: dict[Level, dict[Category, float]] = {
    "easy": {Category.UPPER_BODY: 0.0, Category.LOWER_BODY: 0.0, Category.DRESSES: 0.3},
    "catalogue": {Category.UPPER_BODY: 0.1, Category.LOWER_BODY: 0.0, Category.DRESSES: 0.35},
    "wild": {Category.UPPER_BODY: 0.5, Category.LOWER_BODY: 0.0, Category.DRESSES: 0.7},
}
_FARTHER = 0.12
"""How much more than the catalogue's frame a `wild` one may show below, in body heights."""

_STRAY: dict[Level, float] = {"easy": 4, "catalogue": 8, "wild": 22}
"""Deviation of the figure from the middle, in pixels."""


def sample_camera(category: Category, rng: np.random.Generator, level: Level) -> Camera:
    """Draw the framing of a category's photos."""
    top, bottom = (rng.uniform(*limits) for limits in _FRAMES[category])
    if rng.random() < _WHOLE_SHARE[level][category]:
        top = rng.uniform(*_WHOLE)
    if level == "wild":
        bottom += rng.uniform(0, _FARTHER)
    scale = HEIGHT / (bottom - top)
    return Camera(scale, WIDTH / 2 + rng.normal(0, _STRAY[level]), -top * scale)
