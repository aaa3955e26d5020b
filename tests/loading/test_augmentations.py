"""What is moved together stays together, and nothing hidden gets past the mask's edge."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tryon.loading.augmentations import AffineParams, AffineTransform, affine_matrix

SIZE = (64, 48)
MOTIONS = st.builds(AffineParams, st.floats(-20, 20), st.floats(-20, 20), st.floats(-180, 180), st.floats(0.4, 2.5))
STILL = AffineParams(0, 0, 0, 1)


@given(MOTIONS, st.integers(0, 999))
@settings(max_examples=150, deadline=None)
def test_nothing_hidden_shows_however_it_is_moved(motion: AffineParams, seed: int) -> None:
    random = np.random.default_rng(seed)
    mask = cv2.resize(random.random((8, 6)), SIZE[::-1], interpolation=cv2.INTER_CUBIC) > 0.6
    person = random.integers(0, 256, (*SIZE, 3), np.uint8)
    other = np.where(mask[..., None], random.integers(0, 256, (*SIZE, 3), np.uint8), person)
    mover = AffineTransform(motion, SIZE)
    hidden, _ = mover.masks(mask, mask)
    seen = mover.image(person)[~hidden]
    assert np.array_equal(seen, mover.image(other)[~hidden])


@given(MOTIONS)
@settings(max_examples=50, deadline=None)
def test_key_points_move_with_the_image(motion: AffineParams) -> None:
    keypoints = np.zeros((18, 3), np.float32)
    keypoints[0] = (20, 30, 0.9)
    keypoints[1] = (-1, -1, 0)
    image = np.zeros((*SIZE, 3), np.uint8)
    cv2.circle(image, (20, 30), 4, (255, 255, 255), cv2.FILLED)
    mover = AffineTransform(motion, SIZE)
    moved, (x, y, score) = mover.image(image), mover.keypoints(keypoints)[0]
    assert score == np.float32(0.9)
    assert mover.keypoints(keypoints)[1].tolist() == [-1, -1, 0]
    if 12 < x < SIZE[1] - 13 and 12 < y < SIZE[0] - 13:
        rows, columns = np.nonzero(moved[..., 0] > 127)
        assert abs(columns.mean() - x) < 0.6
        assert abs(rows.mean() - y) < 0.6


@pytest.mark.parametrize(
    ("motion", "place"),
    [
        (AffineParams(5, -3, 0, 1), (25, 27)),
        (AffineParams(0, 0, 90, 1), (25, 28)),  # clockwise: what is left of the center goes up
        (AffineParams(0, 0, 0, 2), (16.5, 28.5)),
    ],
)
def test_the_parts_of_a_motion(motion: AffineParams, place: tuple[float, float]) -> None:
    assert affine_matrix(motion, SIZE) @ (20, 30, 1) == pytest.approx(place)


def test_a_motion_by_whole_pixels_copies_them() -> None:
    random = np.random.default_rng(1)
    image, region = random.integers(0, 256, (*SIZE, 3), np.uint8), random.random(SIZE) < 0.5
    mover = AffineTransform(AffineParams(3, 2, 0, 1), SIZE)
    assert np.array_equal(mover.image(image)[2:, 3:], image[:-2, :-3])
    assert np.array_equal(mover.masks(region, region)[1][2:, 3:], region[:-2, :-3])


def test_hidden_grows_by_less_than_a_pixel() -> None:
    mask = np.zeros(SIZE, np.bool_)
    mask[20:40, 10:30] = True
    hidden, region = AffineTransform(STILL, SIZE).masks(mask, mask)
    assert np.array_equal(region, mask)
    assert not (mask & ~hidden).any()
    assert hidden.sum() <= 21 * 21
