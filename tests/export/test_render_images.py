"""Masks, agnostic images and DensePose colors as exported."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from tryon.export.render_images import draw_dense_pose, encode_jpeg, encode_mask, gray_out, resize_mask

MASKS = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40))


@settings(max_examples=40, deadline=None)
@given(MASKS)
def test_mask_is_an_8_bit_gray_png(mask: np.ndarray) -> None:
    data = encode_mask(mask)
    image = Image.open(io.BytesIO(data))
    assert image.mode == "L"
    assert (np.asarray(image) == np.where(mask, 255, 0)).all()
    assert (cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) == np.where(mask, 255, 0)).all()
    assert encode_mask(mask.copy(order="F")) == data


@settings(max_examples=40, deadline=None)
@given(MASKS, st.integers(1, 3))
def test_mask_is_enlarged_by_whole_pixels(mask: np.ndarray, times: int) -> None:
    height, width = mask.shape
    grown = resize_mask(mask, (height * times, width * times))
    assert grown.dtype == np.bool_
    assert (grown == mask.repeat(times, 0).repeat(times, 1)).all()


@pytest.mark.parametrize("gray", [0, 128])
def test_gray_out_changes_masked_pixels_only(gray: int) -> None:
    random = np.random.default_rng(0)
    photo = random.integers(0, 256, (50, 40, 3)).astype(np.uint8)
    mask = random.random((50, 40)) < 0.5
    before = photo.copy()
    result = gray_out(photo, mask, gray)
    assert (result[mask] == gray).all()
    assert (result[~mask] == photo[~mask]).all()
    assert (photo == before).all()


def test_jpeg_keeps_the_channel_order() -> None:
    red = np.zeros((32, 32, 3), np.uint8)
    red[..., 0] = 200
    back = np.asarray(Image.open(io.BytesIO(encode_jpeg(red))))
    assert np.abs(back.astype(int) - red).max() <= 3


def test_dense_pose_has_black_background_and_24_colors() -> None:
    colors = draw_dense_pose(np.arange(25, dtype=np.uint8)[None])
    assert colors.shape == (1, 25, 3)
    assert (colors[0, 0] == 0).all()
    assert len(np.unique(colors[0], axis=0)) == 25
    blue, yellow = colors[0, 2], colors[0, 24]  # torso and head, as in the data set's own images
    assert blue[2] > 180 > 100 > blue[0]
    assert yellow[0] > 200 < yellow[1]
    assert yellow[2] < 100
