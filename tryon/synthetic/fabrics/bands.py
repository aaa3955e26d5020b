"""Paint parallel bands, from which stripes and checks are made.

All rows of a striped image are shifted slices of one line, which is rendered once at quarter-pixel resolution; bands
flatter than 45 degrees are painted transposed. This is several times faster than filling polygons.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tryon.synthetic.fabrics.fabric import FULL_IMAGE, Region

_SUBPIXELS = 4

Band = tuple[float, Sequence[int]]
"""Relative width, and one value per channel."""


def paint_bands(
    bands: Sequence[Band],
    repeat: float,
    angle: float,
    origin: tuple[float, float],
    region: Region = FULL_IMAGE,
    zigzag: tuple[float, float] | None = None,
) -> NDArray[np.uint8]:
    """Paint a repeating sequence of parallel bands.

    Args:
        bands: bands of one repeat, in order.
        repeat: length of one repeat in pixels.
        angle: direction along the bands in degrees; 0 is horizontal.
        origin: x and y of a point on the leading edge of the first band.
        region: region of the image to paint.
        zigzag: amplitude and wavelength in pixels; only for horizontal bands.

    Returns:
        uint8 (h, w, C), anti-aliased.
    """
    radians = np.deg2rad(angle)
    across, down = -np.sin(radians), np.cos(radians)
    steep = abs(across) >= abs(down)
    scale, drift = (across, down) if steep else (down, across)
    main, cross = origin if steep else origin[::-1]
    start, top, end, bottom = region if steep else (region.top, region.left, region.bottom, region.right)
    rows = np.arange(top, bottom) - cross
    offsets = rows * (drift / scale)
    if zigzag is not None:
        offsets += zigzag[0] * (2 * np.abs(rows / zigzag[1] % 1 - 0.5) - 0.5)
    shift = np.round(offsets * _SUBPIXELS).astype(np.int64) + start * _SUBPIXELS
    min_shift = int(shift.min())
    columns, offset = end - start, shift - min_shift
    length = columns + int(offset.max()) // _SUBPIXELS + 1
    profile = _render_line(bands, repeat, ((np.arange(length * _SUBPIXELS) + min_shift) / _SUBPIXELS - main) * scale)
    if not steep and not offset.any():
        return _tile_rows(profile[::_SUBPIXELS][:columns], len(rows))
    channels = profile.shape[1]
    phases = np.ascontiguousarray(profile.reshape(length, _SUBPIXELS, channels).swapaxes(0, 1)).ravel()
    starts = (offset % _SUBPIXELS * length + offset // _SUBPIXELS) * channels
    image = sliding_window_view(phases, columns * channels)[starts].reshape(len(rows), columns, channels)
    return image if steep else cv2.transpose(image).reshape(columns, len(rows), channels)  # pyright: ignore


def _tile_rows(rows: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """Expand one value (C) per row to an image; runs of equal rows are expanded once and copied."""
    is_new = np.concatenate([[True], (rows[1:] != rows[:-1]).any(1)])
    unique_rows = np.tile(rows[is_new], width)
    return unique_rows[np.cumsum(is_new) - 1].reshape(len(rows), width, rows.shape[1])


def _render_line(bands: Sequence[Band], repeat: float, positions: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Integrate the bands over one pixel around each position: uint8 (N, C)."""
    widths = np.array([width for width, _ in bands])
    ends = np.concatenate([[0], np.cumsum(widths) / widths.sum() * repeat])
    values = np.array([value for _, value in bands], np.float64)
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values * np.diff(ends)[:, None], axis=0)])
    edges = np.stack([positions - 0.5, positions + 0.5])
    num_repeats = np.floor(edges / repeat)
    remainder = edges - num_repeats * repeat
    integral = np.stack([np.interp(remainder, ends, sum_) + num_repeats * sum_[-1] for sum_ in sums.T], axis=-1)
    return np.clip(np.round(integral[1] - integral[0]), 0, 255).astype(np.uint8)
