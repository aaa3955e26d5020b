"""The fast reader of id maps agrees with general readers and accepts no file that they reject."""

from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from tryon.dresscode import readers
from tryon.dresscode.readers import UnreadableError, decode_label_map, resize_labels
from tryon.imaging.png_decoder import MAX_SIDE, read_indices
from tryon.imaging.png_encoder import AVERAGE, GRAY, NO_FILTER, PAETH, PALETTE, RGB, SUB, UP, png_file

Ids = NDArray[np.uint8]
FILTERS = (NO_FILTER, SUB, UP, AVERAGE, PAETH)
COLORS = bytes(value for number in range(256) for value in (255 - number, 7 * number % 256, 128))


def filtered(ids: Ids, filters: list[int]) -> Ids:
    """Filter each row by its own filter, straight from section 9.2 of the standard."""
    wide = np.pad(ids.astype(int), ((1, 0), (1, 0)))
    here, left, above, corner = wide[1:, 1:], wide[1:, :-1], wide[:-1, 1:], wide[:-1, :-1]
    estimate = left + above - corner
    near_left, near_above, near_corner = (abs(estimate - pixel) for pixel in (left, above, corner))
    paeth = np.where(near_above <= near_corner, above, corner)
    paeth = np.where((near_left <= near_above) & (near_left <= near_corner), left, paeth)
    guesses = np.stack([np.zeros_like(here), left, above, (left + above) // 2, paeth])
    rows = here - guesses[filters, np.arange(len(ids))]
    return np.column_stack([filters, rows % 256]).astype(np.uint8)


def png(ids: Ids, filters: list[int], color: int = PALETTE) -> bytes:
    return png_file(filtered(ids, filters), ids.shape[1], 8, color, 6, COLORS if color == PALETTE else b"")


def read(data: bytes) -> Ids:
    ids = read_indices(data)
    assert ids is not None, "left to the general reader"
    return ids


def by_pillow(data: bytes) -> Ids:
    with Image.open(io.BytesIO(data)) as image:
        return np.array(image)


@st.composite
def id_maps(draw: st.DrawFn) -> Ids:
    """Noise, or regions of equal ids, of any size."""
    height, width, seed = draw(st.integers(1, 150)), draw(st.integers(1, 40)), draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    side = draw(st.sampled_from([1, 8]))
    ids = rng.integers(0, 256, (-(-height // side), -(-width // side)), np.uint8)
    return np.kron(ids, np.ones((side, side), np.uint8))[:height, :width]


@settings(max_examples=150)
@given(id_maps(), st.sampled_from([(0,), (1,), (2,), (0, 2), (1, 2), (0, 1, 2), FILTERS]), st.data())
def test_all_filters_are_undone_as_by_pillow(ids: Ids, kinds: tuple[int, ...], data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    file = png(ids, rng.choice(kinds, len(ids)).tolist(), data.draw(st.sampled_from([GRAY, PALETTE])))
    result = read(file)
    assert np.array_equal(result, ids)
    assert np.array_equal(by_pillow(file), ids)
    result[0, 0] ^= 1  # writable


@settings(max_examples=60)
@given(id_maps(), st.integers(1, 200), st.integers(1, 60))
def test_any_size_equals_the_resized_map_of_pillow(ids: Ids, height: int, width: int) -> None:
    file = png(ids, [row % 3 for row in range(len(ids))])
    expected = resize_labels(by_pillow(file), (height, width))
    assert np.array_equal(decode_label_map(file, (height, width)), expected)


@settings(max_examples=60)
@given(id_maps(), st.sampled_from([(2,), (0,), (0, 2), FILTERS]), st.integers(0, 2**32 - 1))
def test_half_size_equals_the_resized_map(ids: Ids, kinds: tuple[int, ...], seed: int) -> None:
    ids = np.kron(ids, np.ones((2, 2), np.uint8))
    ids[1:, 1:] += ids[:-1, :-1]  # no two neighbors need be equal
    half = (len(ids) // 2, ids.shape[1] // 2)
    file = png(ids, np.random.default_rng(seed).choice(kinds, len(ids)).tolist())
    assert np.array_equal(decode_label_map(file, half), resize_labels(ids, half))


STRATEGIES = ("DEFAULT", "FILTERED", "HUFFMAN_ONLY", "RLE", "FIXED")


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_files_of_opencv_need_no_general_reader(strategy: str) -> None:
    ids = np.kron(np.arange(24, dtype=np.uint8).reshape(6, 4), np.ones((31, 17), np.uint8))
    done, file = cv2.imencode(".png", ids, [cv2.IMWRITE_PNG_STRATEGY, getattr(cv2, f"IMWRITE_PNG_STRATEGY_{strategy}")])
    assert done
    assert np.array_equal(read(file.tobytes()), ids)


@pytest.mark.parametrize("mode", ["L", "P"])
@pytest.mark.parametrize("level", [0, 1, 9])
def test_files_of_pillow_need_no_general_reader(mode: str, level: int) -> None:
    rng = np.random.default_rng(0)
    for ids in (rng.integers(0, 19, (300, 200), np.uint8), np.kron(np.arange(6), np.ones((99, 30))).astype(np.uint8)):
        image = Image.fromarray(ids)
        if mode == "P":
            image.putpalette(COLORS)
        stream = io.BytesIO()
        image.save(stream, "PNG", compress_level=level)
        assert np.array_equal(read(stream.getvalue()), ids)


IDS = np.random.default_rng(5).integers(0, 18, (40, 30), np.uint8)
WHOLE = png(IDS, [row % 5 for row in range(40)])


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_of(header: tuple[int, ...], packed: bytes, *more: bytes) -> bytes:
    """A file with right checksums and any content."""
    parts = (chunk(b"IHDR", struct.pack(">IIBBBBB", *header)), *more, chunk(b"IDAT", packed), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


ROWS = filtered(IDS, [UP] * 40).tobytes()
PACKED = zlib.compress(ROWS)
GRAY_HEADER = (30, 40, 8, GRAY, 0, 0, 0)


def test_the_undamaged_file_is_read() -> None:
    assert np.array_equal(read(png_of(GRAY_HEADER, PACKED)), IDS)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        WHOLE[8:],
        WHOLE + b"\n",
        png_of(GRAY_HEADER, PACKED[:-1]),  # a checksum cut short
        png_of(GRAY_HEADER, PACKED[:-1] + bytes([PACKED[-1] ^ 1])),
        png_of(GRAY_HEADER, PACKED + b"\0"),
        png_of(GRAY_HEADER, zlib.compress(ROWS[:-1])),
        png_of(GRAY_HEADER, zlib.compress(ROWS + b"\0")),
        png_of(GRAY_HEADER, zlib.compress(b"\5" + ROWS[1:])),  # no such filter
        png_of(GRAY_HEADER, b""),
        png_of((30, 0, *GRAY_HEADER[2:]), zlib.compress(b"")),
        png_of((*GRAY_HEADER[:4], 1, 0, 0), PACKED),
        png_of((*GRAY_HEADER[:4], 0, 1, 0), PACKED),
        png_of((*GRAY_HEADER[:4], 0, 0, 1), PACKED),  # interlaced
        png_of((30, 40, 8, PALETTE, 0, 0, 0), PACKED),  # without a palette
        png_of((30, 40, 8, PALETTE, 0, 0, 0), PACKED, chunk(b"PLTE", bytes(771))),
        png_of((30, 40, 8, RGB, 0, 0, 0), PACKED),
        png_of((30, 40, 4, GRAY, 0, 0, 0), PACKED),
        png_of((30, 40, 16, GRAY, 0, 0, 0), PACKED),
        png_of(GRAY_HEADER, PACKED, chunk(b"acTL", bytes(8))),
        png_of(GRAY_HEADER, PACKED, chunk(b"IHDR", struct.pack(">IIBBBBB", *GRAY_HEADER))),
    ],
)
def test_unusual_and_damaged_files_are_left_to_the_general_reader(data: bytes) -> None:
    assert read_indices(data) is None


def test_memory_is_bounded_by_the_image_size() -> None:
    bomb = zlib.compress(bytes(50_000_000), 9)
    assert read_indices(png_of(GRAY_HEADER, bomb)) is None
    assert read_indices(png_of((MAX_SIDE + 1, 1, 8, GRAY, 0, 0, 0), bomb)) is None
    with pytest.raises(UnreadableError, match="not a complete PNG"):
        decode_label_map(png_of((2**31 - 1, 2**31 - 1, 8, GRAY, 0, 0, 0), bomb))


@pytest.mark.parametrize("shape", [(2, MAX_SIDE + 5), (MAX_SIDE + 5, 2), (1, MAX_SIDE), (MAX_SIDE, 1)])
def test_very_long_images_are_read(shape: tuple[int, int]) -> None:
    ids = np.random.default_rng(0).integers(0, 18, shape, np.uint8)
    file = png(ids, [row % 5 for row in range(shape[0])])
    assert (read_indices(file) is None) == (max(shape) > MAX_SIDE)
    assert np.array_equal(decode_label_map(file), ids)


def outcome(data: bytes) -> object:
    try:
        return decode_label_map(data).tolist()
    except UnreadableError as error:
        return str(error)


@settings(max_examples=300)
@given(st.data())
def test_damage_is_reported_as_by_the_general_reader(data: st.DataObject) -> None:
    damaged = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    damaged_file = bytes(damaged[: data.draw(st.integers(0, len(damaged) * 2))])
    with pytest.MonkeyPatch.context() as patch:
        result = outcome(damaged_file)
        patch.setattr(readers, "read_indices", lambda *_: None)
        assert outcome(damaged_file) == result


@settings(max_examples=200)
@given(st.binary(max_size=40), st.integers(0, 2**16))
def test_damaged_stream_with_right_checksums_gives_no_other_pixels(noise: bytes, at: int) -> None:
    """The stream's own checksum detects it, or the general reader accepts the file as well."""
    damaged = bytearray(PACKED)
    damaged[at % len(damaged) : at % len(damaged) + len(noise)] = noise
    file = png_of(GRAY_HEADER, bytes(damaged))
    ids = read_indices(file)
    assert ids is None or np.array_equal(ids, by_pillow(file))
