"""Only the background is replaced, and what is hidden does not show in how."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tryon.loading.augmentations import random_scene, replace_background

SIZE = (64, 48)


@pytest.fixture
def regions() -> tuple[np.ndarray, np.ndarray]:
    """A figure's background, and a mask over part of figure and background."""
    figure = np.zeros(SIZE, np.uint8)
    cv2.ellipse(figure, (24, 32), (12, 26), 0, 0, 360, 1, cv2.FILLED)
    mask = np.zeros(SIZE, np.bool_)
    mask[20:44, 6:40] = True
    return figure == 0, mask


def test_the_background_goes_and_the_figure_stays(regions: tuple[np.ndarray, np.ndarray]) -> None:
    background, mask = regions
    person, scene = np.full((*SIZE, 3), 10, np.uint8), np.full((*SIZE, 3), 200, np.uint8)
    replaced = replace_background(person, background, mask, scene)[..., 0] == 200
    rim = cv2.dilate(background.view(np.uint8), np.ones((3, 3), np.uint8)).astype(bool) & ~background
    assert replaced[background].all()
    assert not replaced[~background & ~rim].any()
    assert not replaced[~background & mask].any()
    assert replaced[rim].any()


def test_what_is_seen_does_not_depend_on_what_is_hidden(regions: tuple[np.ndarray, np.ndarray]) -> None:
    background, mask = regions
    person, scene = np.full((*SIZE, 3), 10, np.uint8), np.full((*SIZE, 3), 200, np.uint8)
    one = replace_background(person, background, mask, scene)
    for hidden in (True, False):
        other = replace_background(person, np.where(mask, hidden, background), mask, scene)
        assert np.array_equal(one[~mask], other[~mask])


@pytest.mark.parametrize("size", [(32, 16), (128, 96), (512, 384)])
def test_scenes_are_textured_repeat_by_seed_and_differ(size: tuple[int, int]) -> None:
    scenes = [random_scene(size, seed) for seed in (1, 1, 2)]
    assert scenes[0].shape == (*size, 3)
    assert scenes[0].dtype == np.uint8
    assert np.array_equal(scenes[0], scenes[1])
    assert not np.array_equal(scenes[0], scenes[2])
    assert np.mean([random_scene(size, seed).std((0, 1)).mean() for seed in range(10)]) > 10
