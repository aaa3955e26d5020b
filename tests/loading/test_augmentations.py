"""Augmentations: affine transforms, backgrounds, mask dilation, mirroring and colors."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tryon.dresscode.labels import Joint
from tryon.dresscode.pose import COLORS, draw_pose
from tryon.loading.augmentations import (
    AffineParams,
    AffineTransform,
    affine_matrix,
    apply_color_matrix,
    color_matrix,
    dilate_mask,
    mirror_keypoints,
    random_scene,
    replace_background,
)

SIZE = (64, 48)
PARAMS = st.builds(AffineParams, st.floats(-20, 20), st.floats(-20, 20), st.floats(-180, 180), st.floats(0.4, 2.5))
IDENTITY = AffineParams(0, 0, 0, 1)


@given(PARAMS, st.integers(0, 999))
@settings(max_examples=150, deadline=None)
def test_affine_transform_leaks_no_masked_pixel(params: AffineParams, seed: int) -> None:
    random = np.random.default_rng(seed)
    mask = cv2.resize(random.random((8, 6)), SIZE[::-1], interpolation=cv2.INTER_CUBIC) > 0.6
    person = random.integers(0, 256, (*SIZE, 3), np.uint8)
    other = np.where(mask[..., None], random.integers(0, 256, (*SIZE, 3), np.uint8), person)
    transform = AffineTransform(params, SIZE)
    masked, _ = transform.masks(mask, mask)
    assert np.array_equal(transform.image(person)[~masked], transform.image(other)[~masked])


@given(PARAMS)
@settings(max_examples=50, deadline=None)
def test_affine_transform_moves_key_points_with_the_image(params: AffineParams) -> None:
    keypoints = np.zeros((18, 3), np.float32)
    keypoints[0] = (20, 30, 0.9)
    keypoints[1] = (-1, -1, 0)
    image = np.zeros((*SIZE, 3), np.uint8)
    cv2.circle(image, (20, 30), 4, (255, 255, 255), cv2.FILLED)
    transform = AffineTransform(params, SIZE)
    moved, (x, y, score) = transform.image(image), transform.keypoints(keypoints)[0]
    assert score == np.float32(0.9)
    assert transform.keypoints(keypoints)[1].tolist() == [-1, -1, 0]
    if 12 < x < SIZE[1] - 13 and 12 < y < SIZE[0] - 13:
        rows, columns = np.nonzero(moved[..., 0] > 127)
        assert abs(columns.mean() - x) < 0.6
        assert abs(rows.mean() - y) < 0.6


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (AffineParams(5, -3, 0, 1), (25, 27)),
        (AffineParams(0, 0, 90, 1), (25, 28)),  # clockwise: left of the center moves up
        (AffineParams(0, 0, 0, 2), (16.5, 28.5)),
    ],
)
def test_affine_matrix(params: AffineParams, expected: tuple[float, float]) -> None:
    assert affine_matrix(params, SIZE) @ (20, 30, 1) == pytest.approx(expected)


def test_translation_by_whole_pixels_copies_them() -> None:
    random = np.random.default_rng(1)
    image, region = random.integers(0, 256, (*SIZE, 3), np.uint8), random.random(SIZE) < 0.5
    transform = AffineTransform(AffineParams(3, 2, 0, 1), SIZE)
    assert np.array_equal(transform.image(image)[2:, 3:], image[:-2, :-3])
    assert np.array_equal(transform.masks(region, region)[1][2:, 3:], region[:-2, :-3])


def test_mask_grows_by_less_than_a_pixel() -> None:
    mask = np.zeros(SIZE, np.bool_)
    mask[20:40, 10:30] = True
    masked, region = AffineTransform(IDENTITY, SIZE).masks(mask, mask)
    assert np.array_equal(region, mask)
    assert not (mask & ~masked).any()
    assert masked.sum() <= 21 * 21


@pytest.fixture
def regions() -> tuple[np.ndarray, np.ndarray]:
    """Return a figure's background, and a mask over part of figure and background."""
    figure = np.zeros(SIZE, np.uint8)
    cv2.ellipse(figure, (24, 32), (12, 26), 0, 0, 360, 1, cv2.FILLED)
    mask = np.zeros(SIZE, np.bool_)
    mask[20:44, 6:40] = True
    return figure == 0, mask


def test_replace_background_keeps_the_person(regions: tuple[np.ndarray, np.ndarray]) -> None:
    background, mask = regions
    person, scene = np.full((*SIZE, 3), 10, np.uint8), np.full((*SIZE, 3), 200, np.uint8)
    replaced = replace_background(person, background, mask, scene)[..., 0] == 200
    rim = cv2.dilate(background.view(np.uint8), np.ones((3, 3), np.uint8)).astype(bool) & ~background
    assert replaced[background].all()
    assert not replaced[~background & ~rim].any()
    assert not replaced[~background & mask].any()
    assert replaced[rim].any()


def test_replace_background_does_not_depend_on_masked_pixels(regions: tuple[np.ndarray, np.ndarray]) -> None:
    background, mask = regions
    person, scene = np.full((*SIZE, 3), 10, np.uint8), np.full((*SIZE, 3), 200, np.uint8)
    one = replace_background(person, background, mask, scene)
    for value in (True, False):
        other = replace_background(person, np.where(mask, value, background), mask, scene)
        assert np.array_equal(one[~mask], other[~mask])


@pytest.mark.parametrize("size", [(32, 16), (128, 96), (512, 384)])
def test_random_scenes_are_textured_and_depend_on_the_seed(size: tuple[int, int]) -> None:
    scenes = [random_scene(size, seed) for seed in (1, 1, 2)]
    assert scenes[0].shape == (*size, 3)
    assert scenes[0].dtype == np.uint8
    assert np.array_equal(scenes[0], scenes[1])
    assert not np.array_equal(scenes[0], scenes[2])
    assert np.mean([random_scene(size, seed).std((0, 1)).mean() for seed in range(10)]) > 10


@given(st.floats(0, 12), st.integers(0, 99))
def test_dilate_mask_grows_with_the_radius(radius: float, seed: int) -> None:
    mask = np.random.default_rng(seed).random((30, 20)) < 0.02
    dilated = dilate_mask(mask, radius)
    assert not (mask & ~dilated).any()
    assert not (dilated & ~dilate_mask(mask, radius + 2)).any()


def test_dilate_mask_turns_a_point_into_a_disc() -> None:
    mask = np.zeros((41, 41), np.bool_)
    mask[20, 20] = True
    rows, columns = np.mgrid[:41, :41]
    distance = np.hypot(rows - 20, columns - 20)
    dilated = dilate_mask(mask, 10)
    assert dilated[distance <= 9.7].all()
    assert not dilated[distance > 10.3].any()


def test_dilate_mask_keeps_an_empty_mask() -> None:
    assert not dilate_mask(np.zeros((8, 8), np.bool_), 5).any()


@pytest.fixture
def keypoints() -> np.ndarray:
    random = np.random.default_rng(3)
    points = np.column_stack([random.integers(8, 40, 18), random.integers(8, 56, 18), np.ones(18)])
    points[Joint.LEFT_KNEE] = (-1, -1, 0)
    return points.astype(np.float32)


def test_mirroring_key_points_twice_is_the_identity(keypoints: np.ndarray) -> None:
    assert np.array_equal(mirror_keypoints(mirror_keypoints(keypoints, 48), 48), keypoints)


def test_mirror_exchanges_left_and_right_joints(keypoints: np.ndarray) -> None:
    mirrored = mirror_keypoints(keypoints, 48)
    x, y, score = keypoints[Joint.RIGHT_WRIST]
    assert mirrored[Joint.LEFT_WRIST].tolist() == [47 - x, y, score]
    assert mirrored[Joint.NOSE].tolist() == [47 - keypoints[Joint.NOSE, 0], keypoints[Joint.NOSE, 1], 1]


def test_mirror_keeps_joints_missing(keypoints: np.ndarray) -> None:
    mirrored = mirror_keypoints(keypoints, 48)
    assert mirrored[Joint.RIGHT_KNEE].tolist() == [-1, -1, 0]
    assert mirrored[Joint.LEFT_KNEE, 2] == 1


def test_mirrored_pose_exchanges_limb_colors() -> None:
    keypoints = np.zeros((18, 3), np.float32)
    keypoints[Joint.RIGHT_WRIST] = (10, 30, 1)
    pose = draw_pose(mirror_keypoints(keypoints, 48), (64, 48))
    assert tuple(pose[30, 37]) == COLORS[Joint.LEFT_WRIST]
    assert not pose[30, 10].any()


GRAYS = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(16, 16, 3)


def recolored(color: tuple[int, int, int], *parts: float) -> list[int]:
    return apply_color_matrix(np.array([[color]], np.uint8), color_matrix(*parts))[0, 0].tolist()


def test_neutral_color_matrix_is_the_identity() -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)
    assert np.array_equal(apply_color_matrix(image, color_matrix(1, 1, 1, 0)), image)


@given(st.floats(0.5, 1.5), st.floats(0.5, 1.5), st.floats(0, 2), st.floats(-0.5, 0.5))
def test_equal_colors_stay_equal_in_both_images(
    brightness: float, contrast: float, saturation: float, hue: float
) -> None:
    matrix = color_matrix(brightness, contrast, saturation, hue)
    person = np.random.default_rng(1).integers(0, 256, (12, 10, 3), np.uint8)
    garment = np.full((16, 10, 3), 255, np.uint8)
    garment[2:14] = person
    assert np.array_equal(apply_color_matrix(garment, matrix)[2:14], apply_color_matrix(person, matrix))


def test_brightness_scales_and_clips() -> None:
    assert recolored((100, 50, 200), 1.5, 1, 1, 0) == [150, 75, 255]


def test_contrast_keeps_middle_gray() -> None:
    low, middle, high = (recolored((value, value, value), 1, 0.5, 1, 0)[0] for value in (0, 127, 255))
    assert (low, high) == (64, 191)
    assert abs(middle - 127) <= 1


def test_zero_saturation_is_gray() -> None:
    assert recolored((200, 100, 50), 1, 1, 0, 0) == [124, 124, 124]  # 0.299 x 200 + 0.587 x 100 + 0.114 x 50


@pytest.mark.parametrize("hue", [-0.4, 0.03, 0.5])
def test_hue_rotation_keeps_grays_and_luma(hue: float) -> None:
    assert np.abs(apply_color_matrix(GRAYS, color_matrix(1, 1, 1, hue)).astype(int) - GRAYS).max() <= 1
    before = np.array((120, 100, 90))
    after = np.array(recolored((120, 100, 90), 1, 1, 1, hue))
    luma = np.array([0.299, 0.587, 0.114])
    assert after @ luma == pytest.approx(before @ luma, abs=1)
    assert (after != before).any()


def test_full_hue_rotation_is_the_identity() -> None:
    assert recolored((200, 100, 50), 1, 1, 1, 1.0) == [200, 100, 50]
