"""Tests of the baselines against hand-computed values."""

from __future__ import annotations

import numpy as np
import pytest

from tryon.evaluate.baselines import garment_pixels, masked_input, mean_color_fill, mean_garment_color

RED, BLUE, WHITE = (200, 10, 20), (0, 30, 120), (255, 255, 255)


def _flat_garment() -> np.ndarray:
    """Return a white page with a half red, half blue garment and a white spot inside."""
    page = np.full((10, 8, 3), 255, np.uint8)
    page[2:8, 2:4], page[2:8, 4:6] = RED, BLUE
    page[4, 3] = WHITE
    return page


def test_outer_white_is_background_and_enclosed_white_is_garment() -> None:
    pixels = garment_pixels(_flat_garment())
    expected = np.zeros((10, 8), bool)
    expected[2:8, 2:6] = True
    np.testing.assert_array_equal(pixels, expected)


def test_framed_white_is_garment_and_gap_between_legs_is_background() -> None:
    page = np.full((12, 12, 3), 255, np.uint8)
    page[1:4, 2:10] = page[4:11, 2:5] = page[4:11, 7:10] = BLUE  # trousers
    expected = (page != 255).any(-1)
    page[6, 3:5] = WHITE  # open to the gap, which is open to the page
    np.testing.assert_array_equal(garment_pixels(page), expected)


@pytest.mark.parametrize(
    ("color", "is_garment"),
    [((244, 243, 245), False), ((215, 220, 225), False), ((214, 214, 214), True), ((255, 255, 238), True)],
)
def test_soft_shadows_are_background_and_pale_colors_are_garment(color: tuple[int, int, int], is_garment: bool) -> None:
    page = _flat_garment()
    page[:2] = color
    assert garment_pixels(page)[:2].all() == garment_pixels(page)[:2].any() == is_garment


def test_mean_color_matches_hand_computed_value() -> None:
    expected = (11 * np.array(RED) + 12 * np.array(BLUE) + np.array(WHITE)) / 24
    np.testing.assert_array_equal(mean_garment_color(_flat_garment()), expected.round())


def test_white_garment_has_white_mean_color() -> None:
    assert mean_garment_color(np.full((4, 4, 3), 250, np.uint8)).tolist() == [250, 250, 250]


@pytest.mark.parametrize("paper", [(255, 255, 255), (245, 245, 245)])
@pytest.mark.parametrize("cloth", [(236, 236, 238), (222, 220, 216)])
def test_dark_details_do_not_set_color_of_pale_garment(
    cloth: tuple[int, int, int], paper: tuple[int, int, int]
) -> None:
    page = np.full((128, 96, 3), paper, np.uint8)
    page[20:110, 15:80] = cloth
    page[22:30, 42:54] = 40  # the label in the neck
    page[40:100:12, 46:50] = 60  # buttons
    color = mean_garment_color(page).astype(int)
    assert (abs(color - np.array(cloth)) <= 25).all()


def test_baselines_preserve_unmasked_pixels() -> None:
    random = np.random.default_rng(1)
    person = random.integers(1, 255, (2, 10, 8, 3), np.uint8)
    garment = np.stack([_flat_garment(), np.full((10, 8, 3), 100, np.uint8)])
    mask = random.random((2, 10, 8)) < 0.5
    black, filled = masked_input(person, mask), mean_color_fill(person, mask, garment)
    for result in (black, filled):
        np.testing.assert_array_equal(result[~mask], person[~mask])
    assert (black[mask] == 0).all()
    assert (filled[1][mask[1]] == 100).all()
    np.testing.assert_array_equal(np.unique(filled[0][mask[0]], axis=0), [mean_garment_color(garment[0])])
