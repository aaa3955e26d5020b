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


def test_smoothstep_is_0_before_start_and_1_after_end():
    assert smoothstep(np.array([0.0, 1, 2, 3, 4]), 1, 3).tolist() == [0, 0, 0.5, 1, 1]


def test_profile_interpolates_its_knots_without_overshoot():
    knots = [(0.0, 1.0), (1.0, 3.0), (2.0, 2.0)]
    x = np.linspace(-1, 3, 101)
    assert np.allclose(profile(np.array([0.0, 1, 2]), knots), [1, 3, 2])
    assert profile(x, knots).min() >= 1
    assert profile(x, knots).max() <= 3


def test_round_corners_keeps_the_ends_and_has_equal_steps():
    line = round_corners(np.array([[0.0, 0], [0, 1], [1, 1]]), (0.2,), 50)
    assert np.allclose(line[[0, -1]], [[0, 0], [1, 1]])
    steps = np.hypot(*np.diff(line, axis=0).T)
    assert steps.max() < 1.05 * steps.min()
    assert np.hypot(*(line - (0, 1)).T).min() > 0.05  # the corner is cut


def test_normals_point_right_for_a_downward_line():
    assert np.allclose(normals(np.array([[0.0, 0], [0, 1], [0, 2]])), [[1, 0]] * 3)


def test_smoothstep_is_monotone_with_level_ends():
    x = np.linspace(-1, 2, 301)
    y = smoothstep(x, 0.0, 1.0)
    assert (np.diff(y) >= 0).all()
    assert y[0] == 0
    assert y[-1] == 1
    assert smoothstep(np.array([0.01, 0.99]), 0.0, 1.0) == pytest.approx([0.0, 1.0], abs=1e-3)


def test_profile_is_monotone_between_knots_and_constant_beyond():
    knots = [(0.0, 1.0), (0.5, 3.0), (2.0, 2.0)]
    x = np.linspace(-1, 3, 401)
    y = profile(x, knots)
    assert (np.diff(y)[x[1:] <= 0.5] >= -1e-12).all()
    assert (np.diff(y)[x[:-1] >= 0.5] <= 1e-12).all()
    assert (y[x <= 0] == 1).all()
    assert (y[x >= 2] == 2).all()
    assert profile(0.5, knots) == pytest.approx(3.0)
    assert profile(0.25, knots) == pytest.approx(2.0)


def test_normals_of_a_circle_are_radial_unit_vectors():
    angle = np.linspace(0, np.pi, 100)
    circle = 5 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    radial = normals(circle)
    assert np.hypot(*radial.T) == pytest.approx(1)
    assert np.abs((radial * circle).sum(1)) == pytest.approx(5, rel=1e-3)


def test_round_corners_limits_the_radius_at_short_sides():
    line = round_corners(np.array([[0.0, 0], [0, 1], [0.1, 1]]), (5.0,), 80)
    assert np.isfinite(line).all()
    assert np.allclose(line[[0, -1]], [[0, 0], [0.1, 1]])


def test_stack_xy_broadcasts():
    points = stack_xy(np.arange(3.0), np.array([[10.0], [20.0]]))
    assert points.shape == (2, 3, 2)
    assert points[1, 2].tolist() == [2, 20]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_gradient_matches_numpy(axis: int):
    values = np.random.default_rng(0).random((4, 5, 6))
    assert np.allclose(gradient(values, axis), np.gradient(values, axis=axis))


def test_cached_linspace_is_read_only():
    steps = cached_linspace(0, 2, 5)
    assert steps.tolist() == [0, 0.5, 1, 1.5, 2]
    with pytest.raises(ValueError, match="read-only"):
        steps[0] = 1


def test_offset_points_adds_scaled_directions():
    center, direction = np.array([(0.0, 1.0), (2.0, 3.0)]), np.array([(1.0, 0.0), (0.6, 0.8)])
    points = offset_points(center, direction, np.array([(-1.0, 0.0, 5.0), (0.0, 10.0, -10.0)]))
    assert np.allclose(points, [[(-1, 1), (0, 1), (5, 1)], [(2, 3), (8, 11), (-4, -5)]])
