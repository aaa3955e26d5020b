"""Spans cover a mesh, do not depend on other meshes, and use little memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from tryon.synthetic.paint.scanlines import Spans, scan_convert

SIZE = np.array([[60], [80]])


def mesh(rows: int, columns: int) -> np.ndarray:
    """A bent sheet with uneven edges in a window of 60x80."""
    x, y = np.meshgrid(np.linspace(3, 76, columns), np.linspace(2, 57, rows))
    return np.stack([x + 4 * np.sin(y / 9), y + 2 * np.sin(x / 7)], axis=-1)


def painted(spans: Spans, pixels: int) -> np.ndarray:
    positions = np.full(pixels, -1 - 1j)
    for start, length, position, step in zip(*spans, strict=True):
        positions[start : start + length] = position + np.arange(length) * step
    return positions


@pytest.mark.parametrize("rows", [2, 5, 64, 65, 200])
def test_positions_are_grid_coordinates_for_any_number_of_rows(rows: int):
    positions = painted(scan_convert([mesh(rows, 9)], SIZE), 60 * 80).reshape(60, 80)
    inner = positions[12:48, 16:64]
    assert inner.real.min() > 0
    assert inner.real.max() < 8
    assert inner.imag.min() > 0
    assert inner.imag.max() < rows - 1
    assert (np.diff(inner.imag, axis=0) > 0).all()


def test_meshes_are_independent():
    meshes = mesh(7, 9), mesh(70, 5)
    batched = painted(scan_convert(meshes, np.repeat(SIZE, 2, axis=1)), 2 * 60 * 80)
    single = [painted(scan_convert([points], SIZE), 60 * 80) for points in meshes]
    assert np.array_equal(batched, np.concatenate(single))


def test_cache_of_many_mesh_sizes_stays_small():
    tracemalloc.start()
    try:
        for rows in range(20, 180):
            scan_convert([mesh(rows, 31)], SIZE)
        current, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert current < 4 << 20
