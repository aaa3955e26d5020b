"""Small curve tools: smooth steps, profiles through given points, lines with rounded corners."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def stack_xy(x: Array | float, y: Array | float) -> Array:
    """Points (..., 2) of their x and y, which broadcast; does what `np.stack` does, in a third of the time."""
    points = np.empty((*np.broadcast(x, y).shape, 2))
    points[..., 0], points[..., 1] = x, y
    return points


def offset_points(middle: Array, across: Array, places: Array) -> Array:
    """Points (R, C, 2) of rows beside a line: in each row at its `middle` plus `places` times its `across`.

    x and y go one after the other, because NumPy is slow where the last axis is short.

    Args:
        middle: (R, 2), the line.
        across: (R, 2).
        places: (R, C).
    """
    points = np.empty((*places.shape, 2))
    for axis in (0, 1):
        np.multiply(across[:, axis, None], places, out=points[..., axis])
        points[..., axis] += middle[:, axis, None]
    return points


@lru_cache(maxsize=512)
def cached_linspace(start: float, end: float, count: int) -> Array:
    """`count` even steps from `start` to `end`, read-only; kept, because the same ones come again and again."""
    steps = np.linspace(start, end, count)
    steps.flags.writeable = False
    return steps


def smoothstep(x: Array | float, start: float, end: float) -> Array:
    """0 up to `start`, 1 from `end`, an S-shaped rise with level ends between."""
    return _eased(np.minimum(np.maximum((np.asarray(x, np.float64) - start) / (end - start), 0), 1))


def _eased(ramp: Array) -> Array:
    """S-shaped rise over 0..1 with level ends."""
    return ramp * ramp * (3 - 2 * ramp)


def profile(x: Array | float, knots: Sequence[tuple[float, float]]) -> Array:
    """Curve through `knots` (x ascending, value), made of S-shaped pieces: it never overshoots a knot.

    Every knot is a level point, which is right for widths along a body: knots are put where it is widest or narrowest.
    """
    places, numbers, values, rises = _pieces(tuple(knots))
    at = np.asarray(np.interp(x, places, numbers))
    piece = np.minimum(at.astype(np.int64), len(rises) - 1)
    return values[piece] + rises[piece] * _eased(at - piece)


@lru_cache(maxsize=64)
def _pieces(knots: tuple[tuple[float, float], ...]) -> tuple[Array, Array, Array, Array]:
    """Places, numbers and values of the knots, and rises from each to the next; the same few come again and again."""
    places, values = np.array(knots, np.float64).T.copy()
    return places, np.arange(len(places), dtype=np.float64), values, np.diff(values)


def gradient(values: Array, axis: int = 0) -> Array:
    """What values grow by from one place along an axis to the next: `np.gradient` with steps of 1, but faster."""
    along, made = values.swapaxes(0, axis), np.empty_like(values)
    out = made.swapaxes(0, axis)
    np.subtract(along[2:], along[:-2], out=out[1:-1])
    out[1:-1] *= 0.5
    out[0], out[-1] = along[1] - along[0], along[-1] - along[-2]
    return made


def round_corners(corners: Array, radii: Sequence[float], samples: int) -> Array:
    """Line through `corners` whose inner corners are rounded, sampled at equal steps.

    Args:
        corners: (N, 2).
        radii: for each inner corner (N - 2) how far before and after it the rounding reaches; cut to 0.45 of a side.
        samples: number of points to return.

    Returns:
        (samples, 2), from the first corner to the last.
    """
    pieces = [corners[:1]]
    turn = cached_linspace(0, 1, 9)[:, None]
    for index, radius in enumerate(radii, start=1):
        before, corner, after = corners[index - 1 : index + 2]
        start = corner + _shortened(before - corner, radius)
        end = corner + _shortened(after - corner, radius)
        pieces.append((1 - turn) ** 2 * start + 2 * turn * (1 - turn) * corner + turn**2 * end)
    pieces.append(corners[-1:])
    line = np.concatenate(pieces)
    run = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    at = np.linspace(0, run[-1], samples)
    return stack_xy(np.interp(at, run, line[:, 0]), np.interp(at, run, line[:, 1]))


def _shortened(vector: Array, length: float) -> Array:
    whole = float(np.hypot(*vector))
    return vector * min(length / max(whole, 1e-9), 0.45)


def normals(line: Array) -> Array:
    """Unit vectors (N, 2) across a line, turned left from its direction: (1, 0) where it runs down the image."""
    along = np.empty_like(line)
    along[1:-1] = line[2:] - line[:-2]
    along[0], along[-1] = line[1] - line[0], line[-1] - line[-2]
    along /= np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)[:, None]
    return stack_xy(along[:, 1], -along[:, 0])
