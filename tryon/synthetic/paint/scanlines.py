"""Scan conversion: from meshes to runs of pixels that know their place in the grid."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_FLAT = 1e-9  # areas and slopes below it count as none
_ROWS_AT_ONCE = 64
_ON_EDGE = 1e-6  # how far, in pixels, a triangle reaches beyond itself, so that its neighbors leave no gap


class Spans(NamedTuple):
    """Runs of pixels of one line and one triangle, in painting order.

    Args:
        start: (S,), number of the first pixel, counted line by line and window by window.
        length: (S,), pixels, at least 1.
        place: complex64 (S,), column + row * 1j of the grid at the first pixel.
        step: complex64 (S,), what the place grows by from one pixel to the next.
    """

    start: NDArray[np.int64]
    length: NDArray[np.int64]
    position: NDArray[np.complex64]
    step: NDArray[np.complex64]


def scan_convert(meshes: Sequence[NDArray], sizes: NDArray[np.int64]) -> Spans:
    """Find the runs of pixels that some meshes cover, each in a window of its own.

    Args:
        meshes: (R, C, 2) each, x and y in pixels of its window.
        sizes: (2, M), heights and widths of the windows.

    Returns:
        In painting order: later rows after earlier ones, and what is turned over before what is not.
    """
    return _spans(_slabs(_triangles(meshes, sizes)))


class _Triangles(NamedTuple):
    """Triangles of all meshes in painting order.

    Args:
        x: (3, T), corners in their window, ascending by y.
        y: (3, T).
        place: complex128 (3, T), column + row * 1j of the grid as offset, slope by x, slope by y.
        window: (3, T), height and width of the mesh's window, number of its first pixel.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    position: NDArray[np.complex128]
    window: NDArray[np.int64]


def _triangles(meshes: Sequence[NDArray], sizes: NDArray[np.int64]) -> _Triangles:
    """Two triangles for each cell, row by row; what is turned over goes first, so that the rest covers it."""
    halves = [_halves(*points.shape[:2]) for points in meshes]
    mesh = np.repeat(np.arange(len(meshes)), [len(origin) for _, origin in halves])
    before = np.cumsum([0, *(points.shape[0] * points.shape[1] for points in meshes)])
    corners = np.concatenate([corner + first for (corner, _), first in zip(halves, before[:-1], strict=True)], axis=1)
    x, y = np.concatenate([points.reshape(-1, 2) for points in meshes]).T.copy().take(corners, axis=1)
    area = (x[1] - x[0]) * (y[2] - y[0]) - (y[1] - y[0]) * (x[2] - x[0])
    first = np.cumsum(sizes[0] * sizes[1]) - sizes[0] * sizes[1]
    ends = np.concatenate([sizes, first[None]]).take(mesh, axis=1)
    seen = (y.max(0) >= 0) & (y.min(0) < ends[0]) & (x.max(0) >= 0) & (x.min(0) < ends[1]) & (np.abs(area) > _FLAT)
    grid = np.concatenate([origin for _, origin in halves])
    turned = area * np.bincount(mesh, area, len(meshes))[mesh] < 0
    chosen = np.concatenate([np.flatnonzero(seen & turned), np.flatnonzero(seen & ~turned)])
    x, y, area, origin = x.take(chosen, axis=1), y.take(chosen, axis=1), area[chosen], grid[chosen]
    sign = np.where(chosen & 1, -1, 1) / area
    by_x = ((y[2] - y[0]) + 1j * (y[0] - y[1])) * sign
    by_y = ((x[0] - x[2]) + 1j * (x[1] - x[0])) * sign
    place = np.stack([origin - by_x * x[0] - by_y * y[0], by_x, by_y])
    return _Triangles(*_ascending(x, y), place, ends.take(chosen, axis=1))


def _halves(rows: int, columns: int) -> tuple[NDArray[np.int32], NDArray[np.complex128]]:
    """Two triangles for each cell of a grid: numbers (3, T) of their points, and the places (T,) of their first ones.

    Points come in the order origin, one column on, one row on; in the lower right half backwards from its corner.
    """
    corners, origin = _kept_halves(-(-rows // _ROWS_AT_ONCE) * _ROWS_AT_ONCE, columns)
    count = 2 * (rows - 1) * (columns - 1)
    return corners[:, :count], origin[:count]


@lru_cache(maxsize=32)
def _kept_halves(rows: int, columns: int) -> tuple[NDArray[np.int32], NDArray[np.complex128]]:
    """As `_halves`; kept for a few numbers of rows alone, because fewer rows are its beginning."""
    first = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    upper = np.stack([first, first + 1, first + columns])
    lower = np.stack([first + columns + 1, first + columns, first + 1])
    corners = np.stack([upper, lower], axis=-1).reshape(3, -1).astype(np.int32)
    return corners, corners[0] % columns + corners[0] // columns * 1j


def _ascending(x: NDArray, y: NDArray) -> tuple[NDArray, NDArray]:
    """The corners (3, T) of triangles in order of y."""
    for one, other in ((0, 1), (1, 2), (0, 1)):
        wrong = y[one] > y[other]
        for values in (x, y):
            values[one], values[other] = np.where(wrong, values[[other, one]], values[[one, other]])
    return x, y


class _Slabs(NamedTuple):
    """Halves of triangles: what lies between two edges from one line of pixels to another, in painting order.

    Args:
        top: (N,), first line.
        lines: (N,), number of lines, at least 1.
        edges: (4, N), x of both edges as offset and slope by y.
        place: complex128 (3, N), as in `_Triangles`.
        window: (2, N), width of the window and number of its first pixel.
    """

    top: NDArray[np.int64]
    lines: NDArray[np.int64]
    edges: NDArray[np.float64]
    position: NDArray[np.complex128]
    window: NDArray[np.int64]


def _slabs(triangles: _Triangles) -> _Slabs:
    """Cut triangles at their middle corner. Edges are told by their upper end, so that neighbors agree on them."""
    x, y, place, window = triangles
    long, upper, lower = (_edge(x, y, *ends) for ends in ((0, 2), (0, 1), (1, 2)))
    start, middle = np.ceil(y[:2]).astype(np.int64)
    stop = np.minimum(np.floor(y[2]).astype(np.int64) + 1, window[0])
    start, middle = np.maximum(start, 0), np.minimum(np.maximum(middle, 0), stop)
    top = np.stack([start, middle], axis=1).ravel()
    lines = np.stack([middle - start, stop - middle], axis=1).ravel()
    kept = np.flatnonzero(lines > 0)
    which = kept >> 1
    short = np.stack([upper, lower], axis=-1).reshape(2, -1).take(kept, axis=1)
    edges = np.concatenate([np.stack(long).take(which, axis=1), short])
    return _Slabs(top[kept], lines[kept], edges, place.take(which, axis=1), window[1:].take(which, axis=1))


def _edge(x: NDArray, y: NDArray, start: int, end: int) -> tuple[NDArray, NDArray]:
    """x of the edges between two corners as offset and slope by y; level ones are where they start."""
    fall = y[end] - y[start]
    slope = (x[end] - x[start]) / np.where(fall > _FLAT, fall, np.inf)
    return x[start] - slope * y[start], slope


def _spans(slabs: _Slabs) -> Spans:
    which = np.repeat(np.arange(len(slabs.lines)), slabs.lines)
    line = np.arange(len(which)) + np.repeat(slabs.top - np.cumsum(slabs.lines) + slabs.lines, slabs.lines)
    one, by_line, other, other_by_line = slabs.edges.take(which, axis=1)
    one, other = one + by_line * line, other + other_by_line * line
    width, first_pixel = slabs.window.take(which, axis=1)
    first = np.maximum(np.ceil(np.minimum(one, other) - _ON_EDGE), 0)
    length = np.minimum(np.floor(np.maximum(one, other) + _ON_EDGE), width - 1) - first + 1
    kept = np.flatnonzero(length > 0)
    which, first, line = which[kept], first[kept], line[kept]
    offset, by_x, by_y = slabs.position.take(which, axis=1)
    start = first_pixel[kept] + line * width[kept] + first.astype(np.int64)
    place = offset + by_x * first + by_y * line
    return Spans(start, length[kept].astype(np.int64), place.astype(np.complex64), by_x.astype(np.complex64))
