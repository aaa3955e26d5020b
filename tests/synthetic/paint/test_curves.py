from __future__ import annotations

import numpy as np
import pytest

from tryon.synthetic.paint.curves import (
    cached_linspace,
    gradient,
    normals,
    offset_points,
    profile,
    round_corners,
    smoothstep,
    stack_xy,
)


def test_smoothstep_is_0_before_and_1_after():
    assert smoothstep(np.array([0.0, 1, 2, 3, 4]), 1, 3).tolist() == [0, 0, 0.5, 1, 1]


def test_profile_goes_through_its_knots_and_never_beyond_them():
    knots = [(0.0, 1.0), (1.0, 3.0), (2.0, 2.0)]
    x = np.linspace(-1, 3, 101)
    assert np.allclose(profile(np.array([0.0, 1, 2]), knots), [1, 3, 2])
    assert profile(x, knots).min() >= 1
    assert profile(x, knots).max() <= 3


def test_rounded_line_keeps_its_ends_and_has_equal_steps():
    line = round_corners(np.array([[0.0, 0], [0, 1], [1, 1]]), (0.2,), 50)
    assert np.allclose(line[[0, -1]], [[0, 0], [1, 1]])
    steps = np.hypot(*np.diff(line, axis=0).T)
    assert steps.max() < 1.05 * steps.min()
    assert np.hypot(*(line - (0, 1)).T).min() > 0.05  # the corner is cut


def test_normals_point_right_where_a_line_runs_down():
    assert np.allclose(normals(np.array([[0.0, 0], [0, 1], [0, 2]])), [[1, 0]] * 3)


def test_smoothstep_rises_once_with_level_ends():
    x = np.linspace(-1, 2, 301)
    y = smoothstep(x, 0.0, 1.0)
    assert (np.diff(y) >= 0).all()
    assert y[0] == 0
    assert y[-1] == 1
    assert smoothstep(np.array([0.01, 0.99]), 0.0, 1.0) == pytest.approx([0.0, 1.0], abs=1e-3)


def test_a_profile_is_monotone_between_knots_and_constant_beyond():
    knots = [(0.0, 1.0), (0.5, 3.0), (2.0, 2.0)]
    x = np.linspace(-1, 3, 401)
    y = profile(x, knots)
    assert (np.diff(y)[x[1:] <= 0.5] >= -1e-12).all()
    assert (np.diff(y)[x[:-1] >= 0.5] <= 1e-12).all()
    assert (y[x <= 0] == 1).all()
    assert (y[x >= 2] == 2).all()
    assert profile(0.5, knots) == pytest.approx(3.0)
    assert profile(0.25, knots) == pytest.approx(2.0)


def test_normals_are_unit_vectors_across_a_circle():
    turn = np.linspace(0, np.pi, 100)
    circle = 5 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    across = normals(circle)
    assert np.hypot(*across.T) == pytest.approx(1)
    assert np.abs((across * circle).sum(1)) == pytest.approx(5, rel=1e-3)


def test_a_rounding_is_cut_where_a_side_is_short():
    line = round_corners(np.array([[0.0, 0], [0, 1], [0.1, 1]]), (5.0,), 80)
    assert np.isfinite(line).all()
    assert np.allclose(line[[0, -1]], [[0, 0], [0.1, 1]])


def test_pairs_are_points_of_broadcast_coordinates():
    points = stack_xy(np.arange(3.0), np.array([[10.0], [20.0]]))
    assert points.shape == (2, 3, 2)
    assert points[1, 2].tolist() == [2, 20]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slope_is_the_gradient(axis: int):
    values = np.random.default_rng(0).random((4, 5, 6))
    assert np.allclose(gradient(values, axis), np.gradient(values, axis=axis))


def test_even_steps_cannot_be_spoilt_for_the_next_one_who_asks():
    steps = cached_linspace(0, 2, 5)
    assert steps.tolist() == [0, 0.5, 1, 1.5, 2]
    with pytest.raises(ValueError, match="read-only"):
        steps[0] = 1


def test_rows_beside_a_line_start_at_its_middle_and_go_across():
    middle, across = np.array([(0.0, 1.0), (2.0, 3.0)]), np.array([(1.0, 0.0), (0.6, 0.8)])
    points = offset_points(middle, across, np.array([(-1.0, 0.0, 5.0), (0.0, 10.0, -10.0)]))
    assert np.allclose(points, [[(-1, 1), (0, 1), (5, 1)], [(2, 3), (8, 11), (-4, -5)]])
