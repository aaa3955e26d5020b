"""Flow and UV files round-trip within their documented precision and compress well."""

from __future__ import annotations

import io
import struct

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tryon.dresscode.layout import HEIGHT, WIDTH
from tryon.synthetic.ground_truth_io import decode_flow, encode_flow, encode_uv


def planes(seed: int, height: int = 41, width: int = 29) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    flow = (rng.random((height, width, 2)) * (WIDTH, HEIGHT)).astype(np.float32)
    return flow, rng.integers(0, 3, (height, width)).astype(np.uint8)


@given(st.integers(0, 2**32 - 1))
def test_flow_round_trips_within_half_a_unit_and_cover_exactly(seed):
    flow, cover = planes(seed)
    decoded, decoded_cover = decode_flow(encode_flow(flow, cover))
    assert (decoded.dtype, decoded_cover.dtype) == (np.float32, np.uint8)
    assert np.array_equal(decoded_cover, cover)
    assert np.abs(decoded - flow)[cover > 0].max() <= 1 / 64 + 1e-4
    assert not decoded[cover == 0].any()


def test_flow_outside_the_range_is_clipped():
    flow = np.array([[[-3.0, 3000.0], [767.99, 1023.99]]], np.float32)
    decoded, _ = decode_flow(encode_flow(flow, np.ones((1, 2), np.uint8)))
    assert decoded[0, 0].tolist() == [0, 65535 / 32]
    assert np.abs(decoded[0, 1] - flow[0, 1]).max() < 1 / 32


def test_flow_files_are_16_bit_pngs_of_x_y_and_cover():
    flow, cover = planes(1)
    data = encode_flow(flow, cover)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">IIBB", data[16:26]) == (29, 41, 16, 2)
    image = cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED), cv2.COLOR_BGR2RGB)
    assert np.array_equal(image[..., 2], cover)
    assert np.array_equal(image[..., 0], np.rint(flow[..., 0] * 32) * (cover > 0))


@pytest.mark.parametrize("data", [b"", b"nothing", cv2.imencode(".png", np.zeros((4, 4, 3), np.uint8))[1].tobytes()])
def test_rejects_other_files(data):
    with pytest.raises(ValueError, match="16-bit"):
        decode_flow(data)


def test_uv_files_read_like_those_of_dress_code():
    row, column = np.mgrid[:HEIGHT, :WIDTH] / HEIGHT
    uv = np.stack([row, column], axis=-1).astype(np.float32)
    uv[:, 500:] = 0
    data = encode_uv(uv)
    with np.load(io.BytesIO(data)) as archive:
        assert archive.files == ["uv"]
        read = archive["uv"]
    assert (read.dtype, read.shape) == (np.float32, (2, HEIGHT, WIDTH))
    assert np.abs(np.moveaxis(read, 0, -1) - uv).max() <= 0.5 / 255 + 1e-6
    assert not read[:, :, 500:].any()
    assert np.array_equal(read, np.rint(read * 255) / np.float32(255))
    assert len(data) < read.nbytes / 20
    assert encode_uv(uv) == data
