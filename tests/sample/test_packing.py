from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tryon.dresscode.readers import decode_photo
from tryon.sample.packing import JPEG, PNG, encode_image, pack_mask


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 99))
@settings(max_examples=30)
def test_pack_mask_round_trip(height: int, width: int, seed: int) -> None:
    mask = np.random.default_rng(seed).random((height, width)) < 0.5
    packed = pack_mask(mask)
    assert len(packed) == -(-height * width // 8)
    unpacked = np.unpackbits(np.frombuffer(packed, np.uint8))[: height * width].reshape(height, width)
    assert np.array_equal(unpacked.astype(bool), mask)


def test_png_is_lossless_and_jpeg_is_close() -> None:
    coarse = np.random.default_rng(0).integers(0, 256, (4, 3, 3), np.uint8)
    photo = cv2.resize(coarse, (48, 64), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    png, jpeg = encode_image(photo, PNG), encode_image(photo, JPEG)
    assert png[:4] == b"\x89PNG"
    assert np.array_equal(decode_photo(png), photo)
    assert jpeg[:2] == b"\xff\xd8"
    assert np.abs(decode_photo(jpeg).astype(int) - photo).mean() < 3
