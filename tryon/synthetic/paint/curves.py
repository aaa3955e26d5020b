"""Compute curves: smooth steps, profiles through knots, lines with rounded corners, normals."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def stack_xy(x: Array | float, y: Array | float) -> Array:
    """Stack x and y, which broadcast, to points (..., 2): `np.stack` in a third of the time."""
    points = np.empty((*np.broadcast(x, y).shape, 2))
    points[..., 0], points[..., 1] = x, y
    return points


def offset_points(center: Array, direction: Array, offsets: Array) -> Array:
    """Compute `center` (R, 2) + `offsets` (R, C) * `direction` (R, 2) as points (R, C, 2)."""
    points = np.empty((*offsets.shape, 2))
    for axis in (0, 1):  # NumPy is slow where the last axis is short
        np.multiply(direction[:, axis, None], offsets, out=points[..., axis])
        points[..., axis] += center[:, axis, None]
    return points


@lru_cache(maxsize=512)
def cached_linspace(start: float, end: float, count: int) -> Array:
    """Return `np.linspace(start, end, count)`, cached and therefore read-only."""
    values = np.linspace(start, end, count)
    values.flags.writeable = False
    return values


def smoothstep(x: Array | float, start: float, end: float) -> Array:
    """Return 0 up to `start`, 1 from `end`, and a cubic with level ends between."""
    return _ease(np.minimum(np.maximum((np.asarray(x, np.float64) - start) / (end - start), 0), 1))


def _ease(ramp: Array) -> Array:
    return ramp * ramp * (3 - 2 * ramp)


def profile(x: Array | float, knots: Sequence[tuple[float, float]]) -> Array:
    """Interpolate between `knots` (x ascending, value) by cubics that are level at every knot and never overshoot.

    Widths along a body fit this: knots are put where it is widest or narrowest.
    """
    positions, indices, values, rises = _segments(tuple(knots))
    at = np.asarray(np.interp(x, positions, indices))
    segment = np.minimum(at.astype(np.int64), len(rises) - 1)
    return values[segment] + rises[segment] * _ease(at - segment)


@lru_cache(maxsize=64)
def _segments(knots: tuple[tuple[float, float], ...]) -> tuple[Array, Array, Array, Array]:
    """Return positions, indices and values of the knots, and the rise from each to the next."""
    positions, values = np.array(knots, np.float64).T.copy()
    return positions, np.arange(len(positions), dtype=np.float64), values, np.diff(values)


def gradient(values: Array, axis: int = 0) -> Array:
    """Compute `np.gradient` with steps of 1 along an axis, but faster."""
    rows, result = values.swapaxes(0, axis), np.empty_like(values)
    out = result.swapaxes(0, axis)
    np.subtract(rows[2:], rows[:-2], out=out[1:-1])
    out[1:-1] *= 0.5
    out[0], out[-1] = rows[1] - rows[0], rows[-1] - rows[-2]
    return result


def round_corners(corners: Array, radii: Sequence[float], samples: int) -> Array:
    """Sample a polyline (N, 2) with rounded inner corners at `samples` equally spaced points.

    `radii` are the N - 2 distances from each inner corner to the ends of its arc, limited to 0.45 of the adjacent side.
    """
    segments = [corners[:1]]
    t = cached_linspace(0, 1, 9)[:, None]
    for index, radius in enumerate(radii, start=1):
        before, corner, after = corners[index - 1 : index + 2]
        start = corner + _shorten(before - corner, radius)
        end = corner + _shorten(after - corner, radius)
        segments.append((1 - t) ** 2 * start + 2 * t * (1 - t) * corner + t**2 * end)
    segments.append(corners[-1:])
    line = np.concatenate(segments)
    distance = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    at = np.linspace(0, distance[-1], samples)
    return stack_xy(np.interp(at, distance, line[:, 0]), np.interp(at, distance, line[:, 1]))


def _shorten(vector: Array, length: float) -> Array:
    return vector * min(length / max(float(np.hypot(*vector)), 1e-9), 0.45)


def normals(line: Array) -> Array:
    """Return unit normals (N, 2) of a line, to the left of its direction: (1, 0) where it runs down the image."""
    tangents = np.empty_like(line)
    tangents[1:-1] = line[2:] - line[:-2]
    tangents[0], tangents[-1] = line[1] - line[0], line[-1] - line[-2]
    tangents /= np.maximum(np.hypot(tangents[:, 0], tangents[:, 1]), 1e-9)[:, None]
    return stack_xy(tangents[:, 1], -tangents[:, 0])
