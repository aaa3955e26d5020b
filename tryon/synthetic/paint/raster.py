"""Where on a mesh each pixel lies: a small rasteriser of bent grids.

A mesh is a grid of points (R, C, 2) in the picture. The rasteriser answers, for each pixel, at which (row, column) of
the grid it lies; whatever is known at the grid's points (texture coordinates, shade, distance to the edge, body part)
then follows for the pixel by interpolation. It works at a quarter of the picture's size and is scaled up, which is
exact enough because meshes are smooth, and fast. Meshes reach a little beyond the shape they carry (`MARGIN_PX`), so
that no edge of a shape is ever the ragged edge of a mesh.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

STEP = 4
"""Pixels of the picture per pixel of the rasteriser."""

MARGIN_PX = 9.0
"""Least distance, in pixels, by which a mesh has to reach beyond its shape."""

Floats = NDArray[np.float32]


class Window(NamedTuple):
    """A part of the picture, in pixels; its sides are multiples of `STEP`."""

    top: int
    left: int
    height: int
    width: int

    def of(self, picture: NDArray) -> NDArray:
        """View of this part of a picture."""
        return picture[self.top : self.top + self.height, self.left : self.left + self.width]


class Placed(NamedTuple):
    """Grid places of the pixels of a window at a `STEP`-th of its size.

    Args:
        window: the part of the picture.
        places: float32 (h, w, 2), (column, row) in the grid, -1 outside the mesh.
        covered: bool (h, w), inside the mesh.
    """

    window: Window
    places: Floats
    covered: NDArray[np.bool_]


def place(points: NDArray, size: tuple[int, int]) -> Placed | None:
    """Find the grid place of every pixel that a mesh covers.

    Where a mesh lies over itself the later rows win, and any row wins over triangles that are turned over (inside of
    a sharp bend).

    Args:
        points: (R, C, 2), x and y in pixels of the picture.
        size: (height, width) of the picture, multiples of `STEP`.

    Returns:
        None when the mesh lies outside the picture.
    """
    coarse = (points - (STEP - 1) / 2) / STEP
    limit = np.array([size[1], size[0]]) // STEP
    low = np.clip(np.floor(coarse.min((0, 1))), 0, limit).astype(int)
    high = np.clip(np.ceil(coarse.max((0, 1))) + 1, 0, limit).astype(int)
    if (high <= low).any():
        return None
    places, covered = _rasterise(coarse - low, (high[1] - low[1], high[0] - low[0]))
    window = Window(*(int(n) * STEP for n in (low[1], low[0], high[1] - low[1], high[0] - low[0])))
    return Placed(window, places, covered)


def _rasterise(points: NDArray, size: tuple[int, int]) -> tuple[Floats, NDArray[np.bool_]]:
    rows, columns = points.shape[:2]
    flat = points.reshape(-1, 2)
    corners = _triangles(rows, columns)
    p = flat[corners]
    first, second = p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]
    area = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    turned = area * np.sign(np.median(area)) < 0
    order = np.argsort(~turned, kind="stable")  # what is turned over goes first, so that the rest covers it
    corners, p, first, second, area = (values[order] for values in (corners, p, first, second, area))
    low = np.clip(np.ceil(p.min(1)), 0, None).astype(int)
    high = np.minimum(np.floor(p.max(1)).astype(int), (size[1] - 1, size[0] - 1))
    span = np.clip(high - low + 1, 0, None)
    count = np.where(np.abs(area) > 1e-9, span[:, 0] * span[:, 1], 0)
    which = np.repeat(np.arange(len(p)), count)
    inner = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    x = low[which, 0] + inner % span[which, 0]
    y = low[which, 1] + inner // span[which, 0]
    dx, dy = x - p[which, 0, 0], y - p[which, 0, 1]
    along = (dx * second[which, 1] - dy * second[which, 0]) / area[which]
    down = (dy * first[which, 0] - dx * first[which, 1]) / area[which]
    inside = (along >= -1e-6) & (down >= -1e-6) & (along + down <= 1 + 1e-6)
    which, x, y, along, down = (values[inside] for values in (which, x, y, along, down))
    grid = np.stack([corners % columns, corners // columns], axis=-1).astype(np.float64)
    first, second = grid[:, 1] - grid[:, 0], grid[:, 2] - grid[:, 0]
    places = np.full((*size, 2), -1, np.float32)
    covered = np.zeros(size, np.bool_)
    places[y, x] = grid[which, 0] + along[:, None] * first[which] + down[:, None] * second[which]
    covered[y, x] = True
    return places, covered


def _triangles(rows: int, columns: int) -> NDArray[np.int64]:
    """Corner numbers (T, 3) of two triangles for each cell, row by row."""
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    upper = np.stack([corner, corner + 1, corner + columns], axis=1)
    lower = np.stack([corner + columns + 1, corner + columns, corner + 1], axis=1)
    return np.stack([upper, lower], axis=1).reshape(-1, 3)


def lookup(placed: Placed, values: Floats, nearest: bool = False) -> NDArray[np.float32]:
    """Values of the grid's points at every pixel of the window, still at a `STEP`-th of its size.

    Args:
        placed: grid places of the pixels.
        values: float32 (R, C) or (R, C, K up to 4).
        nearest: take the nearest point's value (for ids) instead of interpolating.
    """
    how = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
    return cv2.remap(values, placed.places, None, how, borderMode=cv2.BORDER_REPLICATE)  # pyright: ignore


def enlarge(values: NDArray, window: Window) -> NDArray:
    """Scale values up to the window's own size, interpolating."""
    return cv2.resize(values, (window.width, window.height), interpolation=cv2.INTER_LINEAR)
