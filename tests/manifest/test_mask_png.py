"""Masks of any size survive the round trip, as standard PNG files."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tryon.errors import TryOnError
from tryon.manifest.mask_png import decode_mask, encode_mask

masks = st.builds(
    lambda height, width, seed: np.random.default_rng(seed).random((height, width)) < 0.5,
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(0, 2**32 - 1),
)


@given(masks)
def test_round_trip(mask):
    assert (decode_mask(encode_mask(mask)) == mask).all()


@given(masks)
def test_pillow_reads_one_bit_with_white_masked(mask):
    with Image.open(io.BytesIO(encode_mask(mask))) as image:
        assert image.mode == "1"
        assert (np.array(image) == mask).all()


def test_encoding_is_small_and_deterministic():
    rows, columns = np.mgrid[:512, :384]
    mask = (rows - 256) ** 2 + (columns - 192) ** 2 < 150**2
    assert len(encode_mask(mask)) < 1500
    assert encode_mask(mask) == encode_mask(mask.copy())


def test_rejects_data_that_is_not_a_png():
    for data in (b"", b"mask"):
        with pytest.raises(TryOnError, match="not a PNG"):
            decode_mask(data)
