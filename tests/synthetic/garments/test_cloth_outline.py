from __future__ import annotations

import numpy as np

from tryon.synthetic.garments.cloth_mesh import MARGIN
from tryon.synthetic.garments.cloth_outline import (
    clip_margins,
    extrapolate_row,
    remove_self_crossing,
    row_spacing,
    smooth_edge,
)


def bent(angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Middles (31, 2) and right reaches (31, 2) of rows along a line that turns by an angle around its middle."""
    direction = np.deg2rad(90 - angle * np.clip((np.arange(31) - 12) / 6, 0, 1))
    along = np.stack([np.cos(direction), np.sin(direction)], axis=1)
    middle = 0.01 * np.cumsum(along, axis=0)
    return middle, 0.05 * np.stack([along[:, 1], -along[:, 0]], axis=1)


def reversals(edge: np.ndarray) -> int:
    steps = np.diff(edge, axis=0)
    return int((np.einsum("ij,ij->i", steps[1:], steps[:-1]) < 0).sum())


def test_rows_of_a_straight_limb_are_as_far_apart_at_their_ends_as_in_the_middle():
    middle, reach = bent(0)
    assert np.allclose(row_spacing(middle, reach), 1)
    assert np.array_equal(remove_self_crossing(middle + reach), middle + reach)


def test_inside_a_sharp_bend_rows_would_cross():
    middle, reach = bent(120)
    inside, outside = sorted([row_spacing(middle, reach).min(), row_spacing(middle, -reach).min()])
    assert inside < 0 < 0.9 < outside


def test_a_bridged_edge_has_no_loop_and_keeps_its_ends():
    middle, reach = bent(120)
    loops = [edge for edge in (middle + reach, middle - reach) if reversals(edge)]
    assert len(loops) == 1
    edge = remove_self_crossing(loops[0])
    assert reversals(edge) == 0
    assert np.array_equal(edge[[0, -1]], loops[0][[0, -1]])


def test_margins_end_where_rows_cross_but_the_cloth_does_not_change():
    columns = np.linspace(-1.5, 1.5, 13)
    for angle in (0, 100):
        middle, reach = bent(angle)
        made = clip_margins(middle, reach, columns)
        inner = np.abs(columns) <= 1
        assert np.array_equal(made[:, inner], np.repeat(columns[None, inner], 31, axis=0))
        assert (np.diff(made, axis=1) > 0).all()
        assert np.abs(made).max() <= 1.5
        assert (made[:, [0, -1]] == (-1.5, 1.5)).all() == (angle == 0)


def test_the_last_row_goes_straight_on_by_a_margin_at_least():
    edge, inner = np.array([[0.0, 1.0], [0.1, 1.0]]), np.array([[0.0, 0.99], [0.1, 0.9]])
    further = extrapolate_row(edge, inner)
    assert np.allclose(further[:, 0], edge[:, 0])
    assert np.allclose(further[:, 1] - edge[:, 1], (MARGIN, 0.1))


def test_rounding_shortens_an_edge_and_keeps_its_ends():
    edge = np.array([[0.0, 0], [1, 0], [1, 1], [2, 1]])
    soft = smooth_edge(edge)
    assert np.array_equal(soft[[0, -1]], edge[[0, -1]])
    assert np.hypot(*np.diff(soft, axis=0).T).sum() < np.hypot(*np.diff(edge, axis=0).T).sum()
