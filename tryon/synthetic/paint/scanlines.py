"""Convert meshes to runs of pixels with their grid coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_EPSILON = 1e-9  # minimum area and slope
_ROWS_AT_ONCE = 64
_EDGE_TOLERANCE = 1e-6  # triangles grow by this many pixels, so that neighbors leave no gap


class Spans(NamedTuple):
    """Horizontal runs of pixels of a triangle, in painting order.

    Args:
        start: (S,), flat index of the first pixel over all windows.
        length: (S,), number of pixels, at least 1.
        position: complex64 (S,), grid column + row * 1j at the first pixel.
        step: complex64 (S,), increment of the position per pixel.
    """

    start: NDArray[np.int64]
    length: NDArray[np.int64]
    position: NDArray[np.complex64]
    step: NDArray[np.complex64]


def scan_convert(meshes: Sequence[NDArray], sizes: NDArray[np.int64]) -> Spans:
    """Find the runs of pixels covered by meshes, each in its own window.

    Args:
        meshes: (R, C, 2) each, x and y in pixels of its window.
        sizes: (2, M), heights and widths of the windows.

    Returns:
        Runs in painting order: flipped triangles first, then by row.
    """
    slabs = _slabs(_triangles(meshes, sizes))
    index = np.repeat(np.arange(len(slabs.lines)), slabs.lines)
    line = np.arange(len(index)) + np.repeat(slabs.top - np.cumsum(slabs.lines) + slabs.lines, slabs.lines)
    left, left_slope, right, right_slope = slabs.edges.take(index, axis=1)
    left, right = left + left_slope * line, right + right_slope * line
    width, first_pixel = slabs.window.take(index, axis=1)
    first = np.maximum(np.ceil(np.minimum(left, right) - _EDGE_TOLERANCE), 0)
    length = np.minimum(np.floor(np.maximum(left, right) + _EDGE_TOLERANCE), width - 1) - first + 1
    valid = np.flatnonzero(length > 0)
    index, first, line = index[valid], first[valid], line[valid]
    offset, by_x, by_y = slabs.position.take(index, axis=1)
    start = first_pixel[valid] + line * width[valid] + first.astype(np.int64)
    position = offset + by_x * first + by_y * line
    return Spans(start, length[valid].astype(np.int64), position.astype(np.complex64), by_x.astype(np.complex64))


class _Triangles(NamedTuple):
    """Triangles of all meshes in painting order.

    Args:
        x: (3, T), corners in their window, ascending by y.
        y: (3, T).
        position: complex128 (3, T), grid column + row * 1j as offset, slope by x, slope by y.
        window: (3, T), height, width and flat index of the first pixel of the window.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    position: NDArray[np.complex128]
    window: NDArray[np.int64]


def _triangles(meshes: Sequence[NDArray], sizes: NDArray[np.int64]) -> _Triangles:
    """Split each cell into two triangles, row by row, flipped ones first so that the others cover them."""
    cells = [_cell_triangles(*points.shape[:2]) for points in meshes]
    mesh = np.repeat(np.arange(len(meshes)), [len(origin) for _, origin in cells])
    before = np.cumsum([0, *(points.shape[0] * points.shape[1] for points in meshes)])
    corners = np.concatenate([corner + first for (corner, _), first in zip(cells, before[:-1], strict=True)], axis=1)
    x, y = np.concatenate([points.reshape(-1, 2) for points in meshes]).T.copy().take(corners, axis=1)
    area = (x[1] - x[0]) * (y[2] - y[0]) - (y[1] - y[0]) * (x[2] - x[0])
    first = np.cumsum(sizes[0] * sizes[1]) - sizes[0] * sizes[1]
    ends = np.concatenate([sizes, first[None]]).take(mesh, axis=1)
    visible = (y.max(0) >= 0) & (y.min(0) < ends[0]) & (x.max(0) >= 0) & (x.min(0) < ends[1])
    visible &= np.abs(area) > _EPSILON
    grid = np.concatenate([origin for _, origin in cells])
    flipped = area * np.bincount(mesh, area, len(meshes))[mesh] < 0
    chosen = np.concatenate([np.flatnonzero(visible & flipped), np.flatnonzero(visible & ~flipped)])
    x, y, area, origin = x.take(chosen, axis=1), y.take(chosen, axis=1), area[chosen], grid[chosen]
    sign = np.where(chosen & 1, -1, 1) / area
    by_x = ((y[2] - y[0]) + 1j * (y[0] - y[1])) * sign
    by_y = ((x[0] - x[2]) + 1j * (x[1] - x[0])) * sign
    position = np.stack([origin - by_x * x[0] - by_y * y[0], by_x, by_y])
    return _Triangles(*_sort_by_y(x, y), position, ends.take(chosen, axis=1))


def _cell_triangles(rows: int, columns: int) -> tuple[NDArray[np.int32], NDArray[np.complex128]]:
    """Return point indices (3, T) of the triangles of a grid and the grid position (T,) of their first points.

    Points are ordered origin, next column, next row; in the lower right half backwards from its corner.
    """
    corners, origin = _cached_cell_triangles(-(-rows // _ROWS_AT_ONCE) * _ROWS_AT_ONCE, columns)
    count = 2 * (rows - 1) * (columns - 1)
    return corners[:, :count], origin[:count]


@lru_cache(maxsize=32)
def _cached_cell_triangles(rows: int, columns: int) -> tuple[NDArray[np.int32], NDArray[np.complex128]]:
    """Compute `_cell_triangles` for a multiple of `_ROWS_AT_ONCE` rows, of which fewer rows are a prefix."""
    first = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    upper = np.stack([first, first + 1, first + columns])
    lower = np.stack([first + columns + 1, first + columns, first + 1])
    corners = np.stack([upper, lower], axis=-1).reshape(3, -1).astype(np.int32)
    return corners, corners[0] % columns + corners[0] // columns * 1j


def _sort_by_y(x: NDArray, y: NDArray) -> tuple[NDArray, NDArray]:
    """Sort the corners (3, T) of triangles by y."""
    for a, b in ((0, 1), (1, 2), (0, 1)):
        swap = y[a] > y[b]
        for values in (x, y):
            values[a], values[b] = np.where(swap, values[[b, a]], values[[a, b]])
    return x, y


class _Slabs(NamedTuple):
    """Triangles cut at their middle corner into areas between two edges, in painting order.

    Args:
        top: (N,), first line.
        lines: (N,), number of lines, at least 1.
        edges: (4, N), x of both edges as offset and slope by y.
        position: complex128 (3, N), as in `_Triangles`.
        window: (2, N), width of the window and flat index of its first pixel.
    """

    top: NDArray[np.int64]
    lines: NDArray[np.int64]
    edges: NDArray[np.float64]
    position: NDArray[np.complex128]
    window: NDArray[np.int64]


def _slabs(triangles: _Triangles) -> _Slabs:
    """Cut triangles at their middle corner; edges start at their upper end, so that neighbors agree on them."""
    x, y, position, window = triangles
    long, upper, lower = (_edge(x, y, *ends) for ends in ((0, 2), (0, 1), (1, 2)))
    start, middle = np.ceil(y[:2]).astype(np.int64)
    stop = np.minimum(np.floor(y[2]).astype(np.int64) + 1, window[0])
    start, middle = np.maximum(start, 0), np.minimum(np.maximum(middle, 0), stop)
    top = np.stack([start, middle], axis=1).ravel()
    lines = np.stack([middle - start, stop - middle], axis=1).ravel()
    valid = np.flatnonzero(lines > 0)
    index = valid >> 1
    short = np.stack([upper, lower], axis=-1).reshape(2, -1).take(valid, axis=1)
    edges = np.concatenate([np.stack(long).take(index, axis=1), short])
    return _Slabs(top[valid], lines[valid], edges, position.take(index, axis=1), window[1:].take(index, axis=1))


def _edge(x: NDArray, y: NDArray, start: int, end: int) -> tuple[NDArray, NDArray]:
    """Return x of the edges between two corners as offset and slope by y; slope 0 for horizontal edges."""
    fall = y[end] - y[start]
    slope = (x[end] - x[start]) / np.where(fall > _EPSILON, fall, np.inf)
    return x[start] - slope * y[start], slope
