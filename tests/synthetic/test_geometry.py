from __future__ import annotations

import numpy as np
import pytest

from tryon.categories import Category
from tryon.synthetic.figure.body import Body, sample_build
from tryon.synthetic.figure.pose import LEFT, RIGHT, sample_pose
from tryon.synthetic.garments.cut import cut
from tryon.synthetic.garments.kinds import sample_garment
from tryon.synthetic.paint.curves import normals, profile, rounded_line, smoothstep
from tryon.synthetic.paint.raster import MARGIN_PX, STEP, enlarge, lookup, place


def test_smoothstep_is_0_before_and_1_after():
    assert smoothstep(np.array([0.0, 1, 2, 3, 4]), 1, 3).tolist() == [0, 0, 0.5, 1, 1]


def test_profile_goes_through_its_knots_and_never_beyond_them():
    knots = [(0.0, 1.0), (1.0, 3.0), (2.0, 2.0)]
    x = np.linspace(-1, 3, 101)
    assert np.allclose(profile(np.array([0.0, 1, 2]), knots), [1, 3, 2])
    assert profile(x, knots).min() >= 1
    assert profile(x, knots).max() <= 3


def test_rounded_line_keeps_its_ends_and_has_equal_steps():
    line = rounded_line(np.array([[0.0, 0], [0, 1], [1, 1]]), (0.2,), 50)
    assert np.allclose(line[[0, -1]], [[0, 0], [1, 1]])
    steps = np.hypot(*np.diff(line, axis=0).T)
    assert steps.max() < 1.05 * steps.min()
    assert np.hypot(*(line - (0, 1)).T).min() > 0.05  # the corner is cut


def test_normals_point_right_where_a_line_runs_down():
    assert np.allclose(normals(np.array([[0.0, 0], [0, 1], [0, 2]])), [[1, 0]] * 3)


def test_the_right_of_the_body_is_on_the_left_of_the_picture():
    body = Body()
    assert body.shoulder(RIGHT)[0] < 0 < body.shoulder(LEFT)[0]
    assert body.toe(RIGHT)[0] < 0 < body.toe(LEFT)[0]


def test_the_rasteriser_inverts_a_mesh():
    """Points of a bent grid: the place found at a point's pixel is the point's own place."""
    rows, columns = np.mgrid[0:9, 0:7].astype(float)
    points = np.stack([100 + 30 * columns + 8 * np.sin(rows), 60 + 40 * rows + 5 * columns], axis=-1)
    placed = place(points, (512, 512))
    assert placed is not None
    places = enlarge(lookup(placed, np.stack([columns, rows], -1).astype(np.float32)), placed.window)
    for row, column in ((2, 3), (4, 1), (6, 5)):
        x, y = points[row, column] - (placed.window.left, placed.window.top)
        assert np.allclose(places[round(y), round(x)], (column, row), atol=0.05)
    covered = placed.covered.sum() * STEP**2
    outline = np.concatenate([points[0], points[1:, -1], points[-1, -2::-1], points[-2:0:-1, 0]])
    following = np.roll(outline, -1, axis=0)
    area = abs((outline[:, 0] * following[:, 1] - outline[:, 1] * following[:, 0]).sum()) / 2
    assert covered == pytest.approx(area, rel=0.02)


def test_a_mesh_outside_the_picture_has_no_place():
    points = np.stack(np.meshgrid([900.0, 950], [10.0, 50]), axis=-1)
    assert place(points, (512, 512)) is None


@pytest.mark.parametrize("category", list(Category))
def test_pieces_of_a_garment_have_the_same_grid_on_every_body_with_room_around_the_outline(category):
    for number in range(8):
        rng = np.random.default_rng((number, category.list_code))
        body, garment = (
            Body(sample_build(rng), sample_pose(rng, "catalogue")),
            sample_garment(category, rng, "catalogue"),
        )
        for piece in cut(garment):
            flat, worn = piece.on(Body()), piece.on(body)
            assert flat.points.shape == worn.points.shape
            assert np.isfinite(worn.points).all()
            rows, columns = worn.points.shape[:2]
            outline = np.concatenate(piece.outlines())
            assert outline.min() >= 0
            assert (outline <= (columns - 1, rows - 1)).all()
            margin = np.hypot(*(flat.points[-1] - flat.points[-2]).T).min() * (rows - 1 - outline[:, 1].max())
            assert margin * 1000 > MARGIN_PX
