"""PNG files (ISO/IEC 15948) of rows that are filtered already: the one filter that suits a image is fast."""

from __future__ import annotations

import colorsys
import struct
import zlib

import numpy as np
from numpy.typing import NDArray

GRAY, RGB, PALETTE = 0, 2, 3
"""Color types, section 11.2.2."""

NO_FILTER, SUB, UP, AVERAGE, PAETH = range(5)
"""Filter types, section 9.2: the row as it is, or its difference to the pixel on the left, to the one above, to the
mean of both, or to one of these and the one between them."""

SIGNATURE = b"\x89PNG\r\n\x1a\n"
"""First bytes of every file, section 5.2."""


def png_file(
    rows: NDArray[np.uint8],
    width: int,
    depth: int,
    color_type: int,
    level: int,
    palette: bytes = b"",
    strategy: int = zlib.Z_DEFAULT_STRATEGY,
) -> bytes:
    """A PNG file. The same arguments give the same bytes.

    Args:
        rows: uint8 (H, 1 + bytes in a row), each row a filter type and then the filtered bytes.
        width: pixels in a row.
        depth: bits per pixel.
        color_type: `GRAY`, `RGB` or `PALETTE`.
        level: of zlib.
        palette: RGB of the colors, with `PALETTE`.
        strategy: of zlib; `Z_RLE` looks for runs only, which is fast and enough where most filtered bytes are 0.
    """
    header = struct.pack(">IIBBBBB", width, len(rows), depth, color_type, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"PLTE", palette), (b"IDAT", _packed(rows, level, strategy)), (b"IEND", b"")]
    written = [_chunk(kind, content) for kind, content in chunks if content or kind == b"IEND"]
    return SIGNATURE + b"".join(written)


def up_filter(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Rows for `png_file` in which every byte is the difference from the one above it, section 9.2.

    Args:
        pixels: uint8 (H, bytes in a row).

    Returns:
        uint8 (H, 1 + bytes in a row).
    """
    rows = np.empty((len(pixels), 1 + pixels.shape[1]), np.uint8)
    rows[:, 0] = UP
    rows[0, 1:] = pixels[0]
    np.subtract(pixels[1:], pixels[:-1], out=rows[1:, 1:])
    return rows


def _packed(rows: NDArray[np.uint8], level: int, strategy: int) -> bytes:
    packer = zlib.compressobj(level, strategy=strategy)
    return packer.compress(np.ascontiguousarray(rows).data) + packer.flush()


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


_LEVEL = 1


def label_palette() -> bytes:
    """RGB of 256 ids: black for the background, then colors far apart in hue."""
    colors = [(0.0, 0.0, 0.0)]
    colors += [
        colorsys.hsv_to_rgb(i * 0.381966 % 1, 0.55 + 0.4 * (i % 2), 0.95 - 0.3 * (i % 3) / 2) for i in range(1, 256)
    ]
    return bytes(round(channel * 255) for color in colors for channel in color)


_COLORS = label_palette()


def encode_palette(labels: NDArray[np.uint8]) -> bytes:
    """A palette PNG whose indices are the labels; uint8 (H, W)."""
    return _png(labels, PALETTE, _COLORS)


def encode_gray(ids: NDArray[np.uint8]) -> bytes:
    """A gray 8-bit PNG; uint8 (H, W)."""
    return _png(ids, GRAY)


def _png(values: NDArray[np.uint8], color_type: int, palette: bytes = b"") -> bytes:
    return png_file(up_filter(values), values.shape[1], 8, color_type, _LEVEL, palette, zlib.Z_RLE)
