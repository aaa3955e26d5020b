"""PNG files of maps of ids, palette or grey. Written here because one filter suits them, and that is fast."""

from __future__ import annotations

import colorsys
import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_GREY, _PALETTE = 0, 3  # colour types of the PNG specification (ISO/IEC 15948), section 11.2.2
_UP = 2  # filter type: difference to the row above, section 9.2
_LEVEL = 4


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
    return _png(labels, _PALETTE, _chunk(b"PLTE", _COLOURS))


def encode_grey(ids: NDArray[np.uint8]) -> bytes:
    """A grey 8-bit PNG; uint8 (H, W)."""
    return _png(ids, _GREY, b"")


def _png(values: NDArray[np.uint8], colour_type: int, extra: bytes) -> bytes:
    height, width = values.shape
    rows = np.empty((height, width + 1), np.uint8)
    rows[:, 0] = _UP
    rows[0, 1:] = values[0]
    np.subtract(values[1:], values[:-1], out=rows[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    data = zlib.compress(rows.tobytes(), _LEVEL)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + extra + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
