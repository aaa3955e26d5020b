"""Model folds as a relief and shade their slopes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tryon.synthetic.paint.curves import Array, cached_linspace, gradient, smoothstep

_TO_LIGHT = np.array([-0.51, -0.46])
"""Light direction in the image plane relative to its component towards the viewer: upper left, as in `layers`."""

_MAX_SLOPE = 0.55
_MIN_LIGHT, _MAX_LIGHT = 0.62, 1.22


class Fold(NamedTuple):
    """A fold that starts at a point of tension (2,), widens and fades at its end (2,).

    `width` is the half-width in the middle in body heights; a negative `steepness` makes a groove.
    """

    start: Array
    end: Array
    width: float
    steepness: float


def ridges(points: Array, folds: Sequence[Fold]) -> Array:
    """Compute the relief (F, R, C) of folds on a mesh (R, C, 2), vectorized because meshes are small."""
    start, end = (np.array([fold[index] for fold in folds]).T[..., None, None] for index in (0, 1))
    width, steepness = (np.array([fold[index] for fold in folds])[:, None, None] for index in (2, 3))
    direction = end - start
    length = np.hypot(direction[0], direction[1]) + 1e-9
    right, down = points[..., 0] - start[0], points[..., 1] - start[1]
    along = (right * direction[0] + down * direction[1]) / length**2
    lateral = (down * direction[0] - right * direction[1]) / length
    widths = width * (0.7 + 0.6 * np.minimum(np.maximum(along, 0), 1))
    strength = smoothstep(along, -0.12, 0.18) * (1 - smoothstep(along, 0.35, 1.0))
    return steepness * width * strength * np.exp(-((lateral / widths) ** 2))


def bump(points: Array, center: Array, radius: float, height: float) -> Array:
    """Compute the relief (R, C) of a rounded bump."""
    return height * np.exp(-(((points - center) / radius) ** 2).sum(-1))


def waves(t: Array, count: float, phase: float) -> Array:
    """Return irregular waves (-1..1) over positions t (-1..1) across the cloth, `count` of them."""
    return np.sin(np.pi * count * t + phase + 0.7 * np.sin(2.3 * t + 2 * phase))


def soft_folds(points: Array, rng: np.random.Generator, count: int, steepness: float) -> Array:
    """Compute the relief (R, C) of a few long, gentle folds, as in cloth on a table."""
    low, high = points.min((0, 1)), points.max((0, 1))
    folds = []
    for _ in range(count):
        start = low + (high - low) * rng.uniform(0.1, 0.9, 2)
        angle = rng.normal(np.pi / 2, 0.5)
        length = (high[1] - low[1]) * rng.uniform(0.25, 0.6)
        end = start + length * np.array([np.cos(angle), np.sin(angle)])
        folds.append(Fold(start, end, rng.uniform(0.009, 0.02), steepness * rng.choice([-1, 1])))
    return ridges(points, folds).sum(0)


def relief_shading(relief: Array, points: Array) -> Array:
    """Compute a shading factor (R, C): slopes that face the light are brighter, valleys darker.

    Args:
        relief: (R, C), elevation towards the viewer.
        points: (R, C, 2), mesh in the same unit.
    """
    surface = np.stack([points[..., 0], points[..., 1], relief])
    down_x, down_y, by_row = gradient(surface, 1)
    across_x, across_y, by_column = gradient(surface, 2)
    area = across_x * down_y - down_x * across_y
    area = np.where(np.abs(area) < 1e-7, np.inf, area)  # degenerate where the mesh folds over
    slope_x = (by_column * down_y - by_row * across_y) / area
    slope_y = (by_row * across_x - by_column * down_x) / area
    facing = -(slope_x * _TO_LIGHT[0] + slope_y * _TO_LIGHT[1])
    facing = _MAX_SLOPE * np.tanh(facing / _MAX_SLOPE)
    return np.minimum(np.maximum(1 + facing + 9.0 * np.minimum(relief, 0), _MIN_LIGHT), _MAX_LIGHT)


_PLEAT_STEP = 0.008
"""Step of the hem between two pleats, in body heights."""


def pleated_hem(hem: float, pleats: int) -> Array:
    """Return the hem (N, 2) of t and h from the wearer's left to right: each pleat rises and drops at its edge."""
    edges = cached_linspace(1, -1, pleats + 1)
    low, high = hem, hem - _PLEAT_STEP
    inner = [point for edge in edges[1:-1] for point in ((edge + 0.012, low), (edge - 0.012, high))]
    return np.array([(1.0, high), *inner, (-1.0, low - _PLEAT_STEP / 2)])


def pleated_light(columns: Array, heights: Array, waist: float, hem: float, pleats: int) -> Array:
    """Compute a shading factor (R, C): each pleat is dark under its neighbor and bright at its edge.

    Args:
        columns: (C,), positions across the cloth.
        heights: (R,), heights of the rows.
        waist, hem: heights where the pleats begin and end.
        pleats: number of pleats.
    """
    phase = (1 - columns) / 2 * pleats % 1  # 0 under the neighbor, 1 at the edge
    profile = 0.66 + 0.5 * phase - 0.38 * smoothstep(phase, 0.88, 1.0)
    strength = 0.45 + 0.55 * smoothstep(heights, waist, hem)
    return 1 + (profile - 0.89)[None] * strength[:, None] * (heights > waist)[:, None]
