"""Spans of many meshes at once are those of each alone, whatever was looked up before."""

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
    places = np.full(pixels, -1 - 1j)
    for start, length, place, step in zip(*spans, strict=True):
        places[start : start + length] = place + np.arange(length) * step
    return places


@pytest.mark.parametrize("rows", [2, 5, 64, 65, 200])
def test_places_are_those_of_the_grid_for_any_number_of_rows(rows: int):
    places = painted(scan_convert([mesh(rows, 9)], SIZE), 60 * 80).reshape(60, 80)
    inner = places[12:48, 16:64]
    assert inner.real.min() > 0
    assert inner.real.max() < 8
    assert inner.imag.min() > 0
    assert inner.imag.max() < rows - 1
    assert (np.diff(inner.imag, axis=0) > 0).all()


def test_meshes_do_not_see_each_other():
    one, other = mesh(7, 9), mesh(70, 5)
    both = painted(scan_convert([one, other], np.repeat(SIZE, 2, axis=1)), 2 * 60 * 80)
    alone = [painted(scan_convert([points], SIZE), 60 * 80) for points in (one, other)]
    assert np.array_equal(both, np.concatenate(alone))


def test_meshes_of_many_sizes_leave_little_in_memory():
    tracemalloc.start()
    try:
        for rows in range(20, 180):
            scan_convert([mesh(rows, 31)], SIZE)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 4 << 20
