"""The fast reader of id maps: what it reads is what a general reader reads, and it takes no file that one refuses."""

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
from tryon.imaging.png_decoder import LONGEST, read_indices
from tryon.imaging.png_encoder import AVERAGE, GRAY, NO_FILTER, PAETH, PALETTE, RGB, SUB, UP, png_file

Ids = NDArray[np.uint8]
FILTERS = (NO_FILTER, SUB, UP, AVERAGE, PAETH)
COLORS = bytes(value for number in range(256) for value in (255 - number, 7 * number % 256, 128))


def filtered(ids: Ids, filters: list[int]) -> Ids:
    """Rows of a PNG file, each by its filter: section 9.2 of the standard, word by word."""
    wide = np.pad(ids.astype(int), ((1, 0), (1, 0)))
    here, left, above, corner = wide[1:, 1:], wide[1:, :-1], wide[:-1, 1:], wide[:-1, :-1]
    estimate = left + above - corner
    near_left, near_above, near_corner = (abs(estimate - other) for other in (left, above, corner))
    paeth = np.where(near_above <= near_corner, above, corner)
    paeth = np.where((near_left <= near_above) & (near_left <= near_corner), left, paeth)
    guesses = np.stack([np.zeros_like(here), left, above, (left + above) // 2, paeth])
    rows = here - guesses[filters, np.arange(len(ids))]
    return np.column_stack([filters, rows % 256]).astype(np.uint8)


def png(ids: Ids, filters: list[int], color: int = PALETTE) -> bytes:
    return png_file(filtered(ids, filters), ids.shape[1], 8, color, 6, COLORS if color == PALETTE else b"")


def read(data: bytes) -> Ids:
    found = read_indices(data)
    assert found is not None, "left to the general reader"
    return found


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
def test_all_filters_are_undone_as_pillow_undoes_them(ids: Ids, kinds: tuple[int, ...], data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    file = png(ids, rng.choice(kinds, len(ids)).tolist(), data.draw(st.sampled_from([GRAY, PALETTE])))
    found = read(file)
    assert np.array_equal(found, ids)
    assert np.array_equal(by_pillow(file), ids)
    found[0, 0] ^= 1  # an array of its own, which may be written to


@settings(max_examples=60)
@given(id_maps(), st.integers(1, 200), st.integers(1, 60))
def test_at_any_size_it_is_pillows_map_resized(ids: Ids, height: int, width: int) -> None:
    file = png(ids, [row % 3 for row in range(len(ids))])
    wanted = resize_labels(by_pillow(file), (height, width))
    assert np.array_equal(decode_label_map(file, (height, width)), wanted)


@settings(max_examples=60)
@given(id_maps(), st.sampled_from([(2,), (0,), (0, 2), FILTERS]), st.integers(0, 2**32 - 1))
def test_at_half_the_size_it_is_the_whole_map_resized(ids: Ids, kinds: tuple[int, ...], seed: int) -> None:
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
GREY_HEADER = (30, 40, 8, GRAY, 0, 0, 0)


def test_the_file_that_is_spoilt_below_is_whole() -> None:
    assert np.array_equal(read(png_of(GREY_HEADER, PACKED)), IDS)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        WHOLE[8:],
        WHOLE + b"\n",
        png_of(GREY_HEADER, PACKED[:-1]),  # a checksum cut short
        png_of(GREY_HEADER, PACKED[:-1] + bytes([PACKED[-1] ^ 1])),
        png_of(GREY_HEADER, PACKED + b"\0"),
        png_of(GREY_HEADER, zlib.compress(ROWS[:-1])),
        png_of(GREY_HEADER, zlib.compress(ROWS + b"\0")),
        png_of(GREY_HEADER, zlib.compress(b"\5" + ROWS[1:])),  # no such filter
        png_of(GREY_HEADER, b""),
        png_of((30, 0, *GREY_HEADER[2:]), zlib.compress(b"")),
        png_of((*GREY_HEADER[:4], 1, 0, 0), PACKED),
        png_of((*GREY_HEADER[:4], 0, 1, 0), PACKED),
        png_of((*GREY_HEADER[:4], 0, 0, 1), PACKED),  # interlaced
        png_of((30, 40, 8, PALETTE, 0, 0, 0), PACKED),  # without a palette
        png_of((30, 40, 8, PALETTE, 0, 0, 0), PACKED, chunk(b"PLTE", bytes(771))),
        png_of((30, 40, 8, RGB, 0, 0, 0), PACKED),
        png_of((30, 40, 4, GRAY, 0, 0, 0), PACKED),
        png_of((30, 40, 16, GRAY, 0, 0, 0), PACKED),
        png_of(GREY_HEADER, PACKED, chunk(b"acTL", bytes(8))),
        png_of(GREY_HEADER, PACKED, chunk(b"IHDR", struct.pack(">IIBBBBB", *GREY_HEADER))),
    ],
)
def test_what_is_not_wholly_right_is_left_to_the_general_reader(data: bytes) -> None:
    assert read_indices(data) is None


def test_a_file_cannot_ask_for_more_memory_than_a_image_of_its_size_takes() -> None:
    bomb = zlib.compress(bytes(50_000_000), 9)
    assert read_indices(png_of(GREY_HEADER, bomb)) is None
    assert read_indices(png_of((LONGEST + 1, 1, 8, GRAY, 0, 0, 0), bomb)) is None
    with pytest.raises(UnreadableError, match="whole PNG"):
        decode_label_map(png_of((2**31 - 1, 2**31 - 1, 8, GRAY, 0, 0, 0), bomb))


@pytest.mark.parametrize("shape", [(2, LONGEST + 5), (LONGEST + 5, 2), (1, LONGEST), (LONGEST, 1)])
def test_a_very_long_image_is_read_whoever_reads_it(shape: tuple[int, int]) -> None:
    ids = np.random.default_rng(0).integers(0, 18, shape, np.uint8)
    file = png(ids, [row % 5 for row in range(shape[0])])
    assert (read_indices(file) is None) == (max(shape) > LONGEST)
    assert np.array_equal(decode_label_map(file), ids)


def outcome(data: bytes) -> object:
    try:
        return decode_label_map(data).tolist()
    except UnreadableError as error:
        return str(error)


@settings(max_examples=300)
@given(st.data())
def test_damage_is_told_as_the_general_reader_tells_it(data: st.DataObject) -> None:
    damaged = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    spoilt = bytes(damaged[: data.draw(st.integers(0, len(damaged) * 2))])
    with pytest.MonkeyPatch.context() as patch:
        found = outcome(spoilt)
        patch.setattr(readers, "read_indices", lambda *_: None)
        assert outcome(spoilt) == found


@settings(max_examples=200)
@given(st.binary(max_size=40), st.integers(0, 2**16))
def test_a_damaged_stream_with_right_checksums_around_it_gives_no_other_pixels(noise: bytes, at: int) -> None:
    """The stream's own checksum sees it; what is accepted is what a general reader accepts."""
    spoilt = bytearray(PACKED)
    spoilt[at % len(spoilt) : at % len(spoilt) + len(noise)] = noise
    file = png_of(GREY_HEADER, bytes(spoilt))
    found = read_indices(file)
    assert found is None or np.array_equal(found, by_pillow(file))
