"""One map for two images; every part does what its name says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tryon.loading.augmentations import color_matrix, jitter

GREYS = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(16, 16, 3)


def changed(color: tuple[int, int, int], *parts: float) -> list[int]:
    return jitter(np.array([[color]], np.uint8), color_matrix(*parts))[0, 0].tolist()


def test_the_neutral_map_changes_nothing() -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)
    assert np.array_equal(jitter(image, color_matrix(1, 1, 1, 0)), image)


@given(st.floats(0.5, 1.5), st.floats(0.5, 1.5), st.floats(0, 2), st.floats(-0.5, 0.5))
def test_equal_colors_stay_equal_wherever_they_are(
    brightness: float, contrast: float, saturation: float, hue: float
) -> None:
    colors = color_matrix(brightness, contrast, saturation, hue)
    person = np.random.default_rng(1).integers(0, 256, (12, 10, 3), np.uint8)
    garment = np.full((16, 10, 3), 255, np.uint8)
    garment[2:14] = person
    assert np.array_equal(jitter(garment, colors)[2:14], jitter(person, colors))


def test_brightness_multiplies_and_cuts_off() -> None:
    assert changed((100, 50, 200), 1.5, 1, 1, 0) == [150, 75, 255]


def test_contrast_leaves_middle_gray() -> None:
    low, middle, high = (changed((value, value, value), 1, 0.5, 1, 0)[0] for value in (0, 127, 255))
    assert (low, high) == (64, 191)
    assert abs(middle - 127) <= 1


def test_saturation_zero_is_the_gray_of_the_color() -> None:
    assert changed((200, 100, 50), 1, 1, 0, 0) == [124, 124, 124]  # 0.299 x 200 + 0.587 x 100 + 0.114 x 50


@pytest.mark.parametrize("hue", [-0.4, 0.03, 0.5])
def test_a_turn_of_hues_leaves_grays_and_brightness(hue: float) -> None:
    assert np.abs(jitter(GREYS, color_matrix(1, 1, 1, hue)).astype(int) - GREYS).max() <= 1
    before = np.array((120, 100, 90))
    after = np.array(changed((120, 100, 90), 1, 1, 1, hue))
    luma = np.array([0.299, 0.587, 0.114])
    assert after @ luma == pytest.approx(before @ luma, abs=1)
    assert (after != before).any()


def test_a_whole_turn_comes_back() -> None:
    assert changed((200, 100, 50), 1, 1, 1, 1.0) == [200, 100, 50]
