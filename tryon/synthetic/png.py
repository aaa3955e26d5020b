"""PNG files of maps of ids, palette or grey, by the one filter that suits them."""

from __future__ import annotations

import colorsys
import zlib

import numpy as np
from numpy.typing import NDArray

from tryon.png import GREY, PALETTE, png_file, up_filtered

_LEVEL = 1


def label_palette() -> bytes:
    """RGB of 256 ids: black for the background, then colours far apart in hue."""
    colours = [(0.0, 0.0, 0.0)]
    colours += [
        colorsys.hsv_to_rgb(i * 0.381966 % 1, 0.55 + 0.4 * (i % 2), 0.95 - 0.3 * (i % 3) / 2) for i in range(1, 256)
    ]
    return bytes(round(channel * 255) for colour in colours for channel in colour)


_COLOURS = label_palette()


def encode_palette(labels: NDArray[np.uint8]) -> bytes:
    """A palette PNG whose indices are the labels; uint8 (H, W)."""
    return _png(labels, PALETTE, _COLOURS)


def encode_grey(ids: NDArray[np.uint8]) -> bytes:
    """A grey 8-bit PNG; uint8 (H, W)."""
    return _png(ids, GREY)


def _png(values: NDArray[np.uint8], colour_type: int, palette: bytes = b"") -> bytes:
    return png_file(up_filtered(values), values.shape[1], 8, colour_type, _LEVEL, palette, zlib.Z_RLE)
