"""Maps of ids out of the PNG files that data sets are full of, several times faster than by a general reader.

Those are 8-bit palette or gray PNG files (ISO/IEC 15948), as Pillow, OpenCV and the synthetic twin write them. ISA-L
inflates them in a sixth of zlib's time. Rows are plain, or differences to the pixel on the left (Sub) or above (Up),
and all are summed up together; the filters Average and Paeth go pixel by pixel, and OpenCV undoes them. Whatever is
otherwise, a damaged file above all, is left to a general reader, which knows more kinds and says what is wrong.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import cv2
import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from tryon.imaging.png_encoder import GRAY, NO_FILTER, PAETH, PALETTE, SIGNATURE, SUB, UP, png_file

LONGEST = 1 << 13
"""Longest side that is read here: it bounds the memory that a small file with a large header can ask for."""

_HEAD = {GRAY: [b"IHDR"], PALETTE: [b"IHDR", b"PLTE"]}
"""Chunks before the pixels, by color type."""

_ROWS_TOGETHER = 32  # a power of two; measured: best for images of 512 to 1024 rows


def read_indices(data: bytes, half: tuple[int, int] | None = None) -> NDArray[np.uint8] | None:
    """The values in a PNG file, palette indices for a palette; None for all that a general reader must look at.

    Args:
        data: the file.
        half: a size (height, width); a image of twice that size is given at half its size if that is faster, by
            nearest neighbor as OpenCV does it exactly: every second pixel of every second row, not the first ones.

    Returns:
        uint8 (H, W), or `half`; None if the file is not whole to the last checksum, has another depth, true color or
        chunks that are not needed, is interlaced or very large.
    """
    chunks = list(_chunks(data))
    kinds = [kind for kind, _ in chunks]
    if kinds[:1] != [b"IHDR"] or kinds[-1] != b"IEND" or len(chunks[0][1]) != 13:
        return None
    width, height, depth, color, *ways = struct.unpack(">IIBBBBB", chunks[0][1])
    packed = b"".join(content for kind, content in chunks if kind == b"IDAT")
    needed = [*_HEAD.get(color, []), *[b"IDAT"] * kinds.count(b"IDAT"), b"IEND"]
    if kinds != needed or depth != 8 or any(ways) or (color == PALETTE and len(chunks[1][1]) > 3 * 256):
        return None
    if not (0 < width <= LONGEST and 0 < height <= LONGEST):
        return None
    content = _inflated(packed, height * (1 + width))
    if content is None:
        return None
    rows = np.frombuffer(content, np.uint8).reshape(height, 1 + width)
    halved = _unfiltered_half(rows) if half is not None and (height, width) == (2 * half[0], 2 * half[1]) else None
    return _unfiltered(rows) if halved is None else halved


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Kind and content of each chunk, section 5.3; the last one is not IEND if anything is wrong."""
    view, at = memoryview(data), len(SIGNATURE)
    whole = data.startswith(SIGNATURE)
    while whole and at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 12 + length
        checked = view[at + 4 : end - 4]
        if end > len(data) or isal_zlib.crc32(checked) != int.from_bytes(view[end - 4 : end], "big"):
            break
        yield bytes(checked[:4]), checked[4:]
        at = end
    if at != len(data) or not whole:
        yield b"", view[:0]


def _inflated(packed: bytes, size: int) -> bytes | None:
    """Exactly `size` bytes out of a whole zlib stream, or None: nothing is unpacked beyond them."""
    stream = isal_zlib.decompressobj()
    try:
        content = stream.decompress(packed, size + 1)
    except isal_zlib.error:  # pyright: ignore[reportGeneralTypeIssues]
        return None
    return content if stream.eof and len(content) == size and not stream.unused_data else None


def _unfiltered_half(rows: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Every second pixel of every second row, where all others need not be known for that; else None.

    If all rows are differences to the one above, then a column says all about itself, and two rows may be one sum.
    """
    if (rows[1:, 0] != UP).any() or rows[0, 0] not in (NO_FILTER, UP):
        return None
    width, flat = rows.shape[1], rows.reshape(-1)
    sums = np.empty_like(flat)
    np.add(flat[:-width], flat[width:], out=sums[:-width])  # of all neighbors: faster in one run than of every other
    pairs = sums.view("<u2").reshape(-1, width)  # two rows, and two columns are one number
    return _cumsum_rows(pairs[:, 1 : width // 2 + 1].astype(np.uint8))  # lower bytes; a row begins with its filter


def _unfiltered(rows: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Pixels of rows that start with their filter type, section 9.2; None if there is no such filter."""
    filters = rows[:, 0]
    if filters.max() > UP:
        return _unfiltered_by_opencv(rows) if filters.max() <= PAETH else None
    pixels = rows[:, 1:].copy()
    along, down = filters == SUB, filters == UP
    if along.any():
        pixels[along] = _transposed(_cumsum_rows(_transposed(pixels[along])))
    if down.any():
        pixels = _cumsum_rows(pixels)
        _reset_running_sums(pixels, np.flatnonzero(~down))
    return pixels


def _unfiltered_by_opencv(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Let OpenCV see the rows as a gray image that is not packed, so that filters are all that is left to undo."""
    gray = png_file(rows, rows.shape[1] - 1, 8, GRAY, level=0)
    return cv2.imdecode(np.frombuffer(gray, np.uint8), cv2.IMREAD_UNCHANGED)  # pyright: ignore[reportReturnType]


def _cumsum_rows(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Running sums down the columns, modulo 256; `pixels` are used up.

    Adding a whole image, moved by 1, 2, 4 ... rows, to itself takes a tenth of adding row to row: to sums over some
    rows. From there on it is group to group.
    """
    height, width = pixels.shape
    sums, spare = pixels.reshape(-1), np.empty(pixels.size, np.uint8)
    reach = width
    while reach < min(_ROWS_TOGETHER * width, sums.size):
        np.add(sums[reach:], sums[:-reach], out=spare[reach:])
        spare[:reach] = sums[:reach]
        sums, spare = spare, sums
        reach *= 2
    sums = sums.reshape(height, width)
    for row in range(_ROWS_TOGETHER, height, _ROWS_TOGETHER):
        group = sums[row : row + _ROWS_TOGETHER]
        group += sums[row - _ROWS_TOGETHER : row - _ROWS_TOGETHER + len(group)]
    return sums


def _transposed(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return cv2.transpose(pixels).astype(np.uint8, copy=False)  # OpenCV copies blockwise, numpy pixel by pixel


def _reset_running_sums(sums: NDArray[np.uint8], starts: NDArray[np.intp]) -> None:
    """Take what was above out of the sums from each of these rows on, in place."""
    starts = starts[starts > 0]
    if starts.size:
        lengths = np.diff(starts, append=len(sums))
        sums[starts[0] :] -= np.repeat(sums[starts - 1], lengths, axis=0)
