from __future__ import annotations

import numpy as np
import pytest

from tryon.synthetic.fabrics.bands import paint_bands

BLACK_AND_WHITE = [(1, (0,)), (1, (255,))]


@pytest.mark.parametrize("angle", [0.0, 7.0, 30.0, 45.0, 60.0, 90.0, -20.0, -45.0, -75.0])
def test_bands_run_in_their_direction(angle):
    """Against the definition: the value of a pixel in the middle of a band is that of its distance from the origin."""
    origin, repeat = (300.0, 420.0), 123.0
    painted = paint_bands(BLACK_AND_WHITE, repeat, angle, origin)[..., 0]
    turn = np.deg2rad(angle)
    y, x = np.mgrid[:1024, :768]
    place = ((y - origin[1]) * np.cos(turn) - (x - origin[0]) * np.sin(turn)) / repeat % 1
    for low, high, value in ((0.02, 0.48, 0), (0.52, 0.98, 255)):
        assert (painted[(place > low) & (place < high)] == value).all()


@pytest.mark.parametrize("angle", [0.0, 33.0, 90.0])
def test_edges_are_softened_over_about_one_pixel(angle):
    painted = paint_bands(BLACK_AND_WHITE, 60, angle, (0.3, 0.4))[..., 0]
    soft = ((painted > 8) & (painted < 247)).mean()
    assert 0.2 / 30 < soft < 2 / 30


def test_widths_are_shares_of_the_repeat():
    painted = paint_bands([(3, (200,)), (1, (0,))], 64, 0, (0, 0))
    assert painted.mean() == pytest.approx(150, abs=1)


def test_bands_thinner_than_a_pixel_become_their_mean():
    painted = paint_bands([(1, (0,)), (3, (200,))], 0.25, 20, (0, 0))
    assert np.abs(painted.astype(int) - 150).max() <= 1


def test_zigzags_swing_as_far_as_asked_for():
    painted = paint_bands(BLACK_AND_WHITE, 400, 0, (0, 12), zigzag=(100, 256))[..., 0]
    edge = painted[112:].argmax(0)  # the first white pixel of each column
    assert edge.max() - edge.min() == pytest.approx(100, abs=3)
    assert np.abs(np.diff(edge)).max() <= 2
