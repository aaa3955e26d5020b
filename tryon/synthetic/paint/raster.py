"""Where on a mesh each pixel lies: a small rasteriser of bent grids.

A mesh is a grid of points (R, C, 2) in the image. The rasteriser answers, for each pixel, at which (row, column) of
the grid it lies; whatever is known at the grid's points (texture coordinates, shade, distance to the edge, body part)
then follows for the pixel by interpolation. It works at a quarter of the image's size and is scaled up, which is
exact enough because meshes are smooth, and fast. Meshes reach a little beyond the shape they carry (`MARGIN_PX`), so
that no edge of a shape is ever the ragged edge of a mesh.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.synthetic.paint.scanlines import scan_convert

STEP = 4
"""Pixels of the image per pixel of the rasteriser."""

WINDOW_STEP = 2 * STEP
"""Edges of windows are multiples of it, so that nothing worked out at a lower size depends on how a window is cut."""

MARGIN_PX = 9.0
"""Least distance, in pixels, by which a mesh has to reach beyond its shape."""

Floats = NDArray[np.float32]


class Window(NamedTuple):
    """A part of the image, in pixels; its edges are multiples of `WINDOW_STEP`."""

    top: int
    left: int
    height: int
    width: int

    def crop(self, image: NDArray) -> NDArray:
        """View of this part of a image."""
        return image[self.top : self.top + self.height, self.left : self.left + self.width]

    def relative_to(self, outer: Window) -> Window:
        """The same part, counted from the corner of another one that holds it."""
        return Window(self.top - outer.top, self.left - outer.left, self.height, self.width)

    def subwindow(self, rows: slice, columns: slice, step: int) -> Window:
        """Some of its rows and columns, counted in steps; the slices have no step, and starts from 0 on."""
        top, left = self.top + rows.start * step, self.left + columns.start * step
        return Window(top, left, (rows.stop - rows.start) * step, (columns.stop - columns.start) * step)


class RasterizedMesh(NamedTuple):
    """Grid places of the pixels of a window at a `STEP`-th of its size.

    Args:
        window: the part of the image.
        places: float32 (h, w, 2), (column, row) in the grid, -1 outside the mesh.
        covered: bool (h, w), inside the mesh.
    """

    window: Window
    grid_coordinates: Floats
    covered: NDArray[np.bool_]

    def crop(self, rows: slice, columns: slice) -> RasterizedMesh:
        """Some of its rows and columns; the slices have no step, and starts from 0 on."""
        places, covered = self.grid_coordinates[rows, columns], self.covered[rows, columns]
        return RasterizedMesh(self.window.subwindow(rows, columns, STEP), places, covered)


def rasterize(meshes: Sequence[NDArray], size: tuple[int, ...]) -> list[RasterizedMesh | None]:
    """Find the grid place of every pixel that each of some meshes covers, all at once: it is much faster.

    Where a mesh lies over itself the later rows win, and any row wins over triangles that are turned over (inside of
    a sharp bend).

    Args:
        meshes: (R, C, 2) each, x and y in pixels of the image.
        size: (height, width) of the image, multiples of `WINDOW_STEP`.

    Returns:
        For each mesh its places, None where it covers nothing of the image.
    """
    if not meshes:
        return []
    coarse = [(points - (STEP - 1) / 2) / STEP for points in meshes]
    windows = _windows(coarse, (size[0] // STEP, size[1] // STEP))
    ends = np.cumsum([window.height * window.width for window in windows])
    inside = [points - (window.left, window.top) for points, window in zip(coarse, windows, strict=True)]
    spans = scan_convert(inside, np.array([(window.height, window.width) for window in windows]).T)
    places = np.full(int(ends[-1]), -1 - 1j, np.complex64)
    before = np.cumsum(spans.length) - spans.length
    first, start = np.stack([before, spans.start], axis=1).repeat(spans.length, axis=0).T
    place, step = np.stack([spans.position, spans.step], axis=1).repeat(spans.length, axis=0).T
    inner = np.arange(len(first)) - first
    places[start + inner] = place + inner.astype(np.float32) * step
    covered = places.real > -0.5
    found: list[RasterizedMesh | None] = []
    for window, end in zip(windows, ends.tolist(), strict=True):
        shape, part = (window.height, window.width), slice(end - window.height * window.width, end)
        within = covered[part].reshape(shape)
        whole = Window(*(side * STEP for side in window))
        found.append(
            RasterizedMesh(whole, places[part].view(np.float32).reshape(*shape, 2), within) if within.any() else None
        )
    return found


def _windows(meshes: Sequence[NDArray], size: tuple[int, int]) -> list[Window]:
    """What each mesh may cover, in pixels of the rasteriser; empty outside the image."""
    points = np.concatenate([points.reshape(-1, 2) for points in meshes]).T.copy()
    starts = np.cumsum([0, *(mesh.shape[0] * mesh.shape[1] for mesh in meshes[:-1])])
    step = WINDOW_STEP // STEP
    low = np.maximum(np.floor(np.minimum.reduceat(points, starts, axis=1) / step), 0).astype(int) * step
    high = np.floor(np.maximum.reduceat(points, starts, axis=1) / step + 1).astype(int) * step
    length = np.maximum(np.minimum(high, np.array(size[::-1])[:, None]) - low, 0)
    return [Window(*sides) for sides in np.stack([low[1], low[0], length[1], length[0]], axis=1).tolist()]


def interpolate(placed: RasterizedMesh, *values: NDArray) -> list[Floats]:
    """Values of the grid's points at every pixel of the window, interpolated, still at a `STEP`-th of its size.

    Args:
        placed: grid places of the pixels.
        values: up to 4 arrays (R, C).

    Returns:
        As many float32 (h, w).
    """
    grids = [np.asarray(grid, np.float32) for grid in values]
    grids += grids[:1] * (4 - len(grids))  # OpenCV interpolates four channels exactly and faster than two
    found = cv2.remap(
        cv2.merge(grids), placed.grid_coordinates, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )  # pyright: ignore[reportCallIssue, reportArgumentType]
    return list(cv2.split(found))[: len(values)]  # pyright: ignore[reportReturnType]


def nearest_ids(placed: RasterizedMesh, ids: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The id of the nearest point of the grid (R, C) at every pixel of the window, at its own size.

    Ids come in a few blocks of rows and columns. So it is enough to know on which side of the blocks' borders a pixel
    lies, which is several times faster than to look every pixel up.
    """
    rows = np.flatnonzero((ids[1:] != ids[:-1]).any(1)) + 1
    columns = np.flatnonzero((ids[:, 1:] != ids[:, :-1]).any(0)) + 1
    blocks = ids[[0, *rows.tolist()]][:, [0, *columns.tolist()]]
    right, down = _block_masks(placed, 0, columns), _block_masks(placed, 1, rows)
    found = _select_by_mask([_select_by_mask(list(block_row), right) for block_row in blocks], down)
    return np.broadcast_to(found, (placed.window.height, placed.window.width))


def _block_masks(placed: RasterizedMesh, axis: int, starts: NDArray) -> list[NDArray[np.uint8]]:
    """For each of some columns (axis 0) or rows (1): 255 on the pixels nearest to it or to later ones, 0 elsewhere."""
    if not len(starts):
        return []
    at = upsample(cv2.extractChannel(placed.grid_coordinates, axis), placed.window)
    return [cv2.compare(at, float(start) - 0.5, cv2.CMP_GT) for start in starts]  # pyright: ignore[reportArgumentType, reportCallIssue]


def _select_by_mask(values: Sequence[NDArray[np.uint8]], masks: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """The first value, and from the first mask on the second one, and so on."""
    found = values[0]
    for value, mask in zip(values[1:], masks, strict=True):
        found = found ^ ((found ^ value) & mask)
    return found


def upsample(values: NDArray, window: Window) -> NDArray:
    """Scale values up to the window's own size, interpolating."""
    return cv2.resize(values, (window.width, window.height), interpolation=cv2.INTER_LINEAR)


def filled_image(width: int, height: int, color: tuple[int, int, int]) -> NDArray[np.uint8]:
    """A image of one color: uint8 (height, width, 3). A row at a time is much faster than a pixel at a time."""
    image = np.empty((height, width, 3), np.uint8)
    image[0] = color
    image[1:] = image[0]
    return image
