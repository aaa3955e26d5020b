"""Parallel bands over a image: the brush of stripes, and two of them crossed that of checks.

All rows of a striped image are pieces of one line, each moved a little further than the row above. So the line is
painted once, in quarters of a pixel, and the rows are cut out of it; bands that run flatter than 45 degrees are painted
lying on their side. This is several times faster than filling the bands' outlines.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tryon.synthetic.fabrics.fabric import WHOLE, Part

_FINE = 4
"""Places of the line per pixel."""

Band = tuple[float, Sequence[int]]
"""Width, in any unit, and values of the band, one for each channel."""


def paint_bands(
    bands: Sequence[Band],
    repeat: float,
    angle: float,
    origin: tuple[float, float],
    part: Part = WHOLE,
    sway: tuple[float, float] | None = None,
) -> NDArray[np.uint8]:
    """Paint bands side by side, again and again.

    Args:
        bands: in their order across; together they make one repeat.
        repeat: pixels.
        angle: direction along the bands in degrees; 0 is level.
        origin: x and y in the image of a point where the first band begins.
        part: of the image, what is painted.
        sway: of zigzags: how far they swing and how long a swing is, in pixels; only for level bands.

    Returns:
        uint8 (h, w, C), anti-aliased.
    """
    turn = np.deg2rad(angle)
    across, down = -np.sin(turn), np.cos(turn)
    upright = abs(across) >= abs(down)
    step, climb = (across, down) if upright else (down, across)
    first, second = origin if upright else origin[::-1]
    start, above, end, below = part if upright else (part.top, part.left, part.bottom, part.right)
    rows = np.arange(above, below) - second
    offsets = rows * (climb / step)
    if sway is not None:
        offsets += sway[0] * (2 * np.abs(rows / sway[1] % 1 - 0.5) - 0.5)
    shift = np.round(offsets * _FINE).astype(np.int64) + start * _FINE
    least = int(shift.min())
    columns, moved = end - start, shift - least
    length = columns + int(moved.max()) // _FINE + 1
    line = _line(bands, repeat, ((np.arange(length * _FINE) + least) / _FINE - first) * step)
    if not upright and not moved.any():
        return _level(line[::_FINE][:columns], len(rows))
    channels = line.shape[1]
    quarters = np.ascontiguousarray(line.reshape(length, _FINE, channels).swapaxes(0, 1)).ravel()
    starts = (moved % _FINE * length + moved // _FINE) * channels
    image = sliding_window_view(quarters, columns * channels)[starts].reshape(len(rows), columns, channels)
    return image if upright else cv2.transpose(image).reshape(columns, len(rows), channels)  # pyright: ignore


def _level(rows: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """A image whose rows have one value (C) each; many are alike, and those are only copied."""
    new = np.concatenate([[True], (rows[1:] != rows[:-1]).any(1)])
    painted = np.tile(rows[new], width)
    return painted[np.cumsum(new) - 1].reshape(len(rows), width, rows.shape[1])


def _line(bands: Sequence[Band], repeat: float, places: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Mean values of one pixel around each place on a line across the bands: uint8 (N, C)."""
    widths = np.array([width for width, _ in bands])
    ends = np.concatenate([[0], np.cumsum(widths) / widths.sum() * repeat])
    values = np.array([value for _, value in bands], np.float64)
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values * np.diff(ends)[:, None], axis=0)])
    edges = np.stack([places - 0.5, places + 0.5])
    whole = np.floor(edges / repeat)
    rest = edges - whole * repeat
    below = np.stack([np.interp(rest, ends, channel) + whole * channel[-1] for channel in sums.T], axis=-1)
    return np.clip(np.round(below[1] - below[0]), 0, 255).astype(np.uint8)
