"""Rasterize deformed grids: find the grid coordinates of every pixel.

A mesh is a grid of points (R, C, 2) in the image. Attributes of its points (texture coordinates, shade, distance to
the edge, body part) are interpolated at the grid coordinates of each pixel. Rasterization runs at a quarter of the
resolution and is upsampled, which is accurate because meshes are smooth. Meshes extend beyond their shape by
`MARGIN_PX`, so that a jagged mesh border is never visible.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.synthetic.paint.scanlines import scan_convert

STEP = 4
"""Image pixels per pixel of the rasterizer."""

WINDOW_STEP = 2 * STEP
"""Window edges are multiples of it, so that results at lower resolution do not depend on the window."""

MARGIN_PX = 9.0
"""Minimum distance in pixels by which a mesh extends beyond its shape."""

Floats = NDArray[np.float32]


class Window(NamedTuple):
    """A region of the image in pixels; its edges are multiples of `WINDOW_STEP`."""

    top: int
    left: int
    height: int
    width: int

    def crop(self, image: NDArray) -> NDArray:
        """Return a view of this window of an image."""
        return image[self.top : self.top + self.height, self.left : self.left + self.width]

    def relative_to(self, outer: Window) -> Window:
        """Return this window in the coordinates of an enclosing window."""
        return Window(self.top - outer.top, self.left - outer.left, self.height, self.width)

    def subwindow(self, rows: slice, columns: slice, step: int) -> Window:
        """Return the given rows and columns, in units of `step`; slices have no step and start at 0 or later."""
        top, left = self.top + rows.start * step, self.left + columns.start * step
        return Window(top, left, (rows.stop - rows.start) * step, (columns.stop - columns.start) * step)


class RasterizedMesh(NamedTuple):
    """Grid coordinates of the pixels of a window at 1/`STEP` of its resolution.

    Args:
        window: region of the image.
        grid_coordinates: float32 (h, w, 2), (column, row) in the grid, -1 outside the mesh.
        covered: bool (h, w), inside the mesh.
    """

    window: Window
    grid_coordinates: Floats
    covered: NDArray[np.bool_]

    def crop(self, rows: slice, columns: slice) -> RasterizedMesh:
        """Return the given rows and columns; slices have no step and start at 0 or later."""
        coordinates, covered = self.grid_coordinates[rows, columns], self.covered[rows, columns]
        return RasterizedMesh(self.window.subwindow(rows, columns, STEP), coordinates, covered)


def rasterize(meshes: Sequence[NDArray], size: tuple[int, ...]) -> list[RasterizedMesh | None]:
    """Find the grid coordinates of all pixels covered by each mesh; one call is much faster than one per mesh.

    Where a mesh overlaps itself, later rows win, and all rows win over flipped triangles (inside a sharp bend).

    Args:
        meshes: (R, C, 2) each, x and y in pixels of the image.
        size: (height, width) of the image, multiples of `WINDOW_STEP`.

    Returns:
        One result per mesh, None for a mesh outside the image.
    """
    if not meshes:
        return []
    coarse = [(points - (STEP - 1) / 2) / STEP for points in meshes]
    windows = _windows(coarse, (size[0] // STEP, size[1] // STEP))
    ends = np.cumsum([window.height * window.width for window in windows])
    local_meshes = [points - (window.left, window.top) for points, window in zip(coarse, windows, strict=True)]
    spans = scan_convert(local_meshes, np.array([(window.height, window.width) for window in windows]).T)
    coordinates = np.full(int(ends[-1]), -1 - 1j, np.complex64)
    before = np.cumsum(spans.length) - spans.length
    first, start = np.stack([before, spans.start], axis=1).repeat(spans.length, axis=0).T
    position, step = np.stack([spans.position, spans.step], axis=1).repeat(spans.length, axis=0).T
    inner = np.arange(len(first)) - first
    coordinates[start + inner] = position + inner.astype(np.float32) * step
    covered = coordinates.real > -0.5
    results: list[RasterizedMesh | None] = []
    for window, end in zip(windows, ends.tolist(), strict=True):
        shape, part = (window.height, window.width), slice(end - window.height * window.width, end)
        mask = covered[part].reshape(shape)
        window_px = Window(*(side * STEP for side in window))
        grid = coordinates[part].view(np.float32).reshape(*shape, 2)
        results.append(RasterizedMesh(window_px, grid, mask) if mask.any() else None)
    return results


def _windows(meshes: Sequence[NDArray], size: tuple[int, int]) -> list[Window]:
    """Return the bounding window of each mesh in rasterizer pixels; empty outside the image."""
    points = np.concatenate([points.reshape(-1, 2) for points in meshes]).T.copy()
    starts = np.cumsum([0, *(mesh.shape[0] * mesh.shape[1] for mesh in meshes[:-1])])
    step = WINDOW_STEP // STEP
    low = np.maximum(np.floor(np.minimum.reduceat(points, starts, axis=1) / step), 0).astype(int) * step
    high = np.floor(np.maximum.reduceat(points, starts, axis=1) / step + 1).astype(int) * step
    length = np.maximum(np.minimum(high, np.array(size[::-1])[:, None]) - low, 0)
    return [Window(*sides) for sides in np.stack([low[1], low[0], length[1], length[0]], axis=1).tolist()]


def interpolate(mesh: RasterizedMesh, *values: NDArray) -> list[Floats]:
    """Interpolate up to 4 attributes (R, C) at the pixels of the window, at 1/`STEP` of its resolution: (h, w) each."""
    grids = [np.asarray(grid, np.float32) for grid in values]
    grids += grids[:1] * (4 - len(grids))  # OpenCV interpolates four channels exactly and faster than two
    planes = cv2.remap(cv2.merge(grids), mesh.grid_coordinates, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # pyright: ignore[reportCallIssue, reportArgumentType] # fmt: skip
    return list(cv2.split(planes))[: len(values)]  # pyright: ignore[reportReturnType]


def nearest_ids(mesh: RasterizedMesh, ids: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the id of the nearest grid point (R, C) for every pixel of the window at full resolution.

    Ids form a few blocks of rows and columns. Comparing pixels with the block borders is several times faster than
    a nearest-neighbor lookup.
    """
    rows = np.flatnonzero((ids[1:] != ids[:-1]).any(1)) + 1
    columns = np.flatnonzero((ids[:, 1:] != ids[:, :-1]).any(0)) + 1
    blocks = ids[[0, *rows.tolist()]][:, [0, *columns.tolist()]]
    right, down = _block_masks(mesh, 0, columns), _block_masks(mesh, 1, rows)
    selected = _select_by_mask([_select_by_mask(list(block_row), right) for block_row in blocks], down)
    return np.broadcast_to(selected, (mesh.window.height, mesh.window.width))


def _block_masks(mesh: RasterizedMesh, axis: int, starts: NDArray) -> list[NDArray[np.uint8]]:
    """Return, for each start column (axis 0) or row (axis 1), 255 on the pixels nearest to it or later ones."""
    if not len(starts):
        return []
    at = upsample(cv2.extractChannel(mesh.grid_coordinates, axis), mesh.window)
    return [cv2.compare(at, float(start) - 0.5, cv2.CMP_GT) for start in starts]  # pyright: ignore[reportArgumentType, reportCallIssue]


def _select_by_mask(values: Sequence[NDArray[np.uint8]], masks: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Select the first value, or the value after the last set mask."""
    selected = values[0]
    for value, mask in zip(values[1:], masks, strict=True):
        selected = selected ^ ((selected ^ value) & mask)
    return selected


def upsample(values: NDArray, window: Window) -> NDArray:
    """Upsample values to the size of the window by linear interpolation."""
    return cv2.resize(values, (window.width, window.height), interpolation=cv2.INTER_LINEAR)


def filled_image(width: int, height: int, color: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Return an image (height, width, 3) of one color; filling by rows is much faster than by pixels."""
    image = np.empty((height, width, 3), np.uint8)
    image[0] = color
    image[1:] = image[0]
    return image
