"""Folds: a relief of the cloth, and the light on its slopes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tryon.synthetic.paint.curves import Array, cached_linspace, gradient, smoothstep

_TO_LIGHT = np.array([-0.51, -0.46])
"""Towards the light in the image's plane, against its part towards the viewer: upper left, as in `layers`."""

_STEEPEST = 0.55
_DARKEST, _LIGHTEST = 0.62, 1.22


class Fold(NamedTuple):
    """A fold that springs from a point under tension, widens and fades out.

    Args:
        start: (2,), the point under tension.
        end: (2,), where the fold has faded.
        width: half-width in the middle, body heights.
        steepness: of its sides; negative for a groove.
    """

    start: Array
    end: Array
    width: float
    steepness: float


def ridges(points: Array, folds: Sequence[Fold]) -> Array:
    """Relief (F, R, C) of each of some folds on a mesh (R, C, 2): all at once, because meshes are small."""
    start, end = (np.array([fold[which] for fold in folds]).T[..., None, None] for which in (0, 1))
    width, steepness = (np.array([fold[which] for fold in folds])[:, None, None] for which in (2, 3))
    way = end - start
    length = np.hypot(way[0], way[1]) + 1e-9
    right, down = points[..., 0] - start[0], points[..., 1] - start[1]
    along = (right * way[0] + down * way[1]) / length**2
    beside = (down * way[0] - right * way[1]) / length
    widths = width * (0.7 + 0.6 * np.minimum(np.maximum(along, 0), 1))
    presence = smoothstep(along, -0.12, 0.18) * (1 - smoothstep(along, 0.35, 1.0))
    return steepness * width * presence * np.exp(-((beside / widths) ** 2))


def bump(points: Array, center: Array, radius: float, height: float) -> Array:
    """Relief (R, C) of a rounded bump."""
    return height * np.exp(-(((points - center) / radius) ** 2).sum(-1))


def waves(t: Array, count: float, phase: float) -> Array:
    """Uneven waves (-1..1) over places t (-1..1) across the cloth, `count` of them."""
    return np.sin(np.pi * count * t + phase + 0.7 * np.sin(2.3 * t + 2 * phase))


def soft_folds(points: Array, rng: np.random.Generator, count: int, steepness: float) -> Array:
    """Relief (R, C) of a few long gentle folds, as in cloth that lies on a table."""
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
    """Factor (R, C) on the cloth's color: slopes that face the light are brighter, valleys darker.

    Args:
        relief: (R, C), towards the viewer.
        points: (R, C, 2), the mesh; relief and points in one unit.
    """
    three = np.stack([points[..., 0], points[..., 1], relief])
    down_x, down_y, by_row = gradient(three, 1)
    across_x, across_y, by_column = gradient(three, 2)
    area = across_x * down_y - down_x * across_y
    area = np.where(np.abs(area) < 1e-7, np.inf, area)  # folded over: no slope
    slope_x = (by_column * down_y - by_row * across_y) / area
    slope_y = (by_row * across_x - by_column * down_x) / area
    facing = -(slope_x * _TO_LIGHT[0] + slope_y * _TO_LIGHT[1])
    facing = _STEEPEST * np.tanh(facing / _STEEPEST)
    return np.minimum(np.maximum(1 + facing + 9.0 * np.minimum(relief, 0), _DARKEST), _LIGHTEST)


_STEP = 0.008
"""Height of a zigzag's step, in body heights."""


def pleated_hem(hem: float, pleats: int) -> Array:
    """The hem from the wearer's left to the right, (N, 2) t and h: each pleat rises slowly and drops at its edge."""
    edges = cached_linspace(1, -1, pleats + 1)
    low, high = hem, hem - _STEP
    inner = [point for edge in edges[1:-1] for point in ((edge + 0.012, low), (edge - 0.012, high))]
    return np.array([(1.0, high), *inner, (-1.0, low - _STEP / 2)])


def pleated_light(columns: Array, heights: Array, waist: float, hem: float, pleats: int) -> Array:
    """Factor (R, C): every pleat is dark where it dips under its neighbor and bright at its edge.

    Args:
        columns: (C,) places across the cloth.
        heights: (R,) of the rows.
        waist, hem: where the pleats begin and end.
        pleats: their number.
    """
    place = (1 - columns) / 2 * pleats % 1  # 0 under the neighbor, 1 at the edge
    profile = 0.66 + 0.5 * place - 0.38 * smoothstep(place, 0.88, 1.0)
    strength = 0.45 + 0.55 * smoothstep(heights, waist, hem)
    return 1 + (profile - 0.89)[None] * strength[:, None] * (heights > waist)[:, None]
