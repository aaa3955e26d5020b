from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tryon.synthetic.paint.ground_truth import OCCLUDED, VISIBLE
from tryon.synthetic.paint.layers import Canvas, Layer, cylinder_shade, darken

SIZE = (256, 320)
GRAY = 180


def canvas(truth: bool = False) -> Canvas:
    return Canvas(np.full((*SIZE, 3), GRAY, np.uint8), truth)


def disc(x: float, y: float, radius: float, **changes) -> Layer:
    """A flat disc on a larger square mesh."""
    reach = np.linspace(-radius - 12, radius + 12, 40)
    points = np.stack(np.meshgrid(x + reach, y + reach), axis=-1)
    distance = radius - np.hypot(points[..., 0] - x, points[..., 1] - y)
    layer = Layer(5, points, 4, np.ones(distance.shape), (255, 0, 0), distance=distance)
    return replace(layer, **changes)


def distance_from(x: float, y: float) -> np.ndarray:
    rows, columns = np.mgrid[0 : SIZE[0], 0 : SIZE[1]]
    return np.hypot(columns - x, rows - y)


def test_disc_is_opaque_inside_antialiased_at_the_rim_and_empty_outside():
    painted = canvas()
    painted.paint(disc(150.3, 120.7, 60))
    distance = distance_from(150.3, 120.7)
    assert (painted.photo[distance < 58.5] == (255, 0, 0)).all()
    assert (painted.photo[distance > 61.5] == GRAY).all()
    opacity = (GRAY - painted.photo[..., 1].astype(float)) / GRAY
    assert opacity.sum() == pytest.approx(np.pi * 60**2, rel=2e-3)
    rim = opacity[(distance > 59.6) & (distance < 60.4)]
    assert ((rim > 0.05) & (rim < 0.95)).mean() > 0.95
    assert (painted.label_map == 4).sum() == pytest.approx(np.pi * 60**2, rel=5e-3)
    assert set(np.unique(painted.label_map)) == {0, 4}


def test_layers_without_dense_ids_keep_dense_pose():
    painted = canvas()
    painted.paint(disc(150, 120, 50, dense=np.full((40, 40), 2, np.uint8)))
    before = painted.dense_pose.copy()
    painted.paint(disc(170, 130, 60))
    assert (before == 2).sum() == pytest.approx(np.pi * 50**2, rel=0.01)
    assert np.array_equal(painted.dense_pose, before)


def test_ids_split_a_mesh_along_a_straight_line():
    ids = np.where(np.arange(40) < 20, 3, 7).astype(np.uint8)
    painted = canvas()
    painted.paint(disc(150, 120, 60, label=np.tile(ids, (40, 1))))
    left, right = (np.flatnonzero((painted.label_map == label).any(0)) for label in (3, 7))
    assert abs(left[-1] - 150) <= 1
    assert abs(right[0] - 150) <= 1
    assert set(np.unique(painted.label_map)) == {0, 3, 7}


def test_shifted_textures_are_copied_exactly_and_warped_ones_interpolated():
    rng = np.random.default_rng(3)
    texture = rng.integers(0, 255, (120, 100, 4), dtype=np.uint8)
    texture[..., 3] = 255
    reach = np.stack(np.meshgrid(np.linspace(-20, 120, 20), np.linspace(-20, 140, 20)), axis=-1)
    layer = Layer(5, reach + np.array([60, 40]), 4, np.ones((20, 20)), texture=texture, coordinates=reach)
    painted = canvas()
    painted.paint(layer)
    assert np.array_equal(painted.photo[40:160, 60:160], texture[..., :3])
    assert (painted.label_map != 0).sum() == 120 * 100
    moved = canvas()
    moved.paint(replace(layer, points=layer.points + 1e-3))
    assert np.abs(moved.photo[44:156, 64:156].astype(int) - texture[4:-4, 4:-4, :3]).max() <= 2


@pytest.mark.parametrize("shift", [(-50, -30), (200, 150), (60, -100)])
def test_textures_are_clipped_at_the_image_border(shift):
    texture = np.full((120, 100, 4), 255, np.uint8)
    texture[..., :3] = np.arange(100)[None, :, None]
    reach = np.stack(np.meshgrid(np.linspace(-20, 120, 20), np.linspace(-20, 140, 20)), axis=-1)
    painted = canvas()
    painted.paint(Layer(5, reach + shift, 4, np.ones((20, 20)), texture=texture, coordinates=reach))
    rows, columns = np.nonzero(painted.label_map)
    assert (painted.photo[rows, columns, 0] == columns - shift[0]).all()
    assert rows.min() == max(shift[1], 0)


def test_shade_scales_the_color_up_to_white():
    for factor, expected in ((0.5, 100), (1.1, 220), (1.3, 255)):
        painted = canvas()
        painted.paint(disc(150, 120, 60, color=(200, 200, 200), shade=np.full((40, 40), factor)))
        assert painted.photo[120, 150].tolist() == pytest.approx([expected] * 3, abs=2)


def test_shade_gradients_are_smooth():
    shade = np.tile(np.linspace(0.6, 1.0, 40), (40, 1))
    painted = canvas()
    painted.paint(disc(150, 120, 60, color=(240, 200, 180), shade=shade))
    line = painted.photo[120, 100:200].astype(int)
    assert np.abs(np.diff(line, axis=0)).max() <= 3
    assert (np.diff(line, axis=0) >= 0).all()


def test_shadows_are_darkest_away_from_the_light():
    painted = canvas()
    painted.paint(disc(150, 120, 50, shadow=0.4))
    gray = painted.photo[..., 2].astype(int)
    distance = distance_from(150, 120)
    assert (gray <= GRAY).all()
    assert gray[120 + 42, 150 + 42] < gray[120 - 42, 150 - 42] < GRAY + 1
    assert gray[120 + 42, 150 + 42] < GRAY - 20
    assert (gray[distance > 130] == GRAY).all()


def test_darken_removes_a_fraction_of_the_light():
    photo = np.full((64, 64, 3), 200, np.uint8)
    darken(photo, np.full((8, 8), 255, np.uint8), 0.25)
    assert (photo == 150).all()
    darken(photo, np.zeros((8, 8), np.uint8), 0.9)
    assert (photo == 150).all()


def test_cover_follows_occlusion_and_repainting():
    flat = np.stack(np.meshgrid(np.linspace(0, 390, 40), np.linspace(0, 780, 40)), axis=-1)
    painted = canvas(truth=True)
    painted.paint(disc(150, 120, 60, flat_coordinates=flat))
    truth = painted.truth
    assert truth is not None
    assert np.array_equal(truth.cover == VISIBLE, painted.label_map == 4)
    flow = truth.flow.copy()
    painted.paint(disc(190, 120, 40, label=16))
    assert np.array_equal(truth.cover == VISIBLE, painted.label_map == 4)
    assert (truth.cover == OCCLUDED).sum() > 1000
    assert np.array_equal(truth.flow, flow)  # occluded pixels keep their flow
    assert not truth.flow[truth.cover == 0].any()
    painted.paint(disc(200, 120, 20, flat_coordinates=flat))
    assert truth.cover[120, 200] == VISIBLE
    assert truth.flow[120, 150] == pytest.approx((195, 390), abs=1)  # center of the mesh


def test_ground_truth_does_not_change_the_photo():
    flat = np.zeros((40, 40, 2))
    layers = (
        disc(150, 120, 60, flat_coordinates=flat, shadow=0.3),
        disc(190, 120, 40, uv=flat, dense=np.ones((40, 40), np.uint8)),
    )
    with_truth, without = canvas(truth=True), canvas()
    for layer in layers:
        with_truth.paint(layer)
        without.paint(layer)
    assert without.truth is None
    assert np.array_equal(with_truth.photo, without.photo)
    assert np.array_equal(with_truth.label_map, without.label_map)


def test_uv_is_that_of_the_topmost_body_layer():
    ramp = np.stack(np.meshgrid(np.linspace(0.1, 0.9, 40), np.linspace(0.2, 0.8, 40)), axis=-1)
    body = np.full((40, 40), 2, np.uint8)
    painted = canvas(truth=True)
    painted.paint(disc(150, 120, 60, dense=body, uv=ramp))
    painted.paint(disc(150, 120, 30))  # cloth does not change UV
    truth = painted.truth
    assert truth is not None
    assert truth.uv[120, 150] == pytest.approx((0.5, 0.5), abs=0.01)
    assert not truth.uv[painted.dense_pose == 0].any()
    assert truth.uv[painted.dense_pose > 0].min() >= 0.1
    painted.paint(disc(150, 120, 20, dense=body, uv=ramp * 0.5))
    assert truth.uv[120, 150] == pytest.approx((0.25, 0.25), abs=0.01)


def test_cylinders_are_brightest_towards_the_light():
    columns = np.linspace(-1, 1, 41)
    shade = cylinder_shade(np.array([[1.0, 0.0]]), columns)[0]
    assert np.argmax(shade) < 20
    assert shade[0] > shade[-1]
    assert 0.9 < shade.max() < 1.15
