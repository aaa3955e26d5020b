from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tryon.dresscode.pose import COLORS, LIMBS, SKELETON_STROKE, draw_pose

SIZE = (256, 192)


def keypoints_with(*joints: tuple[int, float, float]) -> NDArray[np.float32]:
    """Key points with only these (joint, x, y) detected."""
    points = np.tile(np.array([-1, -1, 0], np.float32), (18, 1))
    for joint, x, y in joints:
        points[joint] = (x, y, 1)
    return points


def test_no_joints_give_a_black_image() -> None:
    assert not draw_pose(keypoints_with(), SIZE).any()


@pytest.mark.parametrize("joint", range(18))
def test_joint_is_a_disc_of_its_color_and_of_radius_four(joint: int) -> None:
    image = draw_pose(keypoints_with((joint, 96, 128)), SIZE)
    painted = image.any(-1)
    assert (image[painted] == COLORS[joint]).all()
    assert painted.sum() == pytest.approx(np.pi * 4**2, rel=0.25)
    rows, columns = np.nonzero(painted)
    assert (rows.mean(), columns.mean()) == pytest.approx((128, 96), abs=0.3)
    assert max(np.hypot(rows - 128, columns - 96)) < 5.0


def test_joint_with_a_score_of_one_percent_is_not_drawn() -> None:
    points = keypoints_with((0, 96, 128))
    points[0, 2] = 0.01
    assert not draw_pose(points, SIZE).any()
    points[0, 2] = 0.011
    assert draw_pose(points, SIZE).any()


def test_limbs_and_colors_are_those_of_the_published_network() -> None:
    assert len(LIMBS) == 17
    assert len(COLORS) == 18
    assert [LIMBS[number] for number in (0, 6, 12, 16)] == [(1, 2), (1, 8), (1, 0), (15, 17)]
    assert [COLORS[number] for number in (0, 6, 12, 17)] == [(0, 0, 255), (0, 255, 0), (255, 0, 0), (85, 0, 255)]


@pytest.mark.parametrize("limb", range(17))
def test_limb_blends_six_tenths_of_its_color_over_black(limb: int) -> None:
    start, end = LIMBS[limb]
    image = draw_pose(keypoints_with((start, 40, 128), (end, 150, 128)), SIZE)
    assert image[128, 95].tolist() == [round(0.6 * channel) for channel in COLORS[limb]]
    column = image[:, 95].any(-1).sum()
    assert 7 <= column <= 9  # half-width 4 in the middle
    assert image[:, 60].any(-1).sum() < column  # an ellipse, narrower towards its ends


def test_limb_is_drawn_over_its_joints() -> None:
    image = draw_pose(keypoints_with((1, 40, 128), (2, 150, 128)), SIZE)
    joint, limb = COLORS[1], COLORS[0]
    inside = [round(0.4 * below + 0.6 * above) for below, above in zip(joint, limb, strict=True)]
    assert np.abs(image[128, 42].astype(int) - inside).max() <= 1


def test_limb_needs_both_of_its_joints() -> None:
    joint = draw_pose(keypoints_with((2, 100, 100)), SIZE)
    both_ends_far_apart = draw_pose(keypoints_with((2, 100, 100), (5, 20, 200)), SIZE)  # 2 and 5 are not connected
    assert (both_ends_far_apart[:150] == joint[:150]).all()


def test_stroke_scales_with_the_height() -> None:
    small = draw_pose(keypoints_with((0, 96, 128)), SIZE).any(-1).sum()
    large = draw_pose(keypoints_with((0, 384, 512)), (1024, 768)).any(-1).sum()
    assert large / small == pytest.approx(16, rel=0.25)
    thin = draw_pose(keypoints_with((0, 384, 512)), (1024, 768), SKELETON_STROKE).any(-1).sum()
    assert large / thin == pytest.approx(9, rel=0.2)


@given(st.lists(st.tuples(st.floats(-300, 500), st.floats(-300, 500)), min_size=18, max_size=18))
@settings(max_examples=30, deadline=None)
def test_translation_by_whole_pixels_moves_the_image(positions: list) -> None:
    points = np.column_stack([np.round(np.array(positions) * 16) / 16, np.ones(18)]).astype(np.float32)
    image = draw_pose(points, (128, 96))
    assert image.shape == (128, 96, 3)
    moved = points + np.array([32, 32, 0], np.float32)
    wide = draw_pose(moved, (128, 160), 8.0)[32:, 32:128]  # the same stroke: it scales with the height alone
    assert wide.shape == (96, 96, 3)
    same = draw_pose(points, (128, 160), 8.0)[:96, :96]
    assert (wide == same).mean() > 0.99


def test_far_away_joints_draw_nothing() -> None:
    assert not draw_pose(keypoints_with((1, -500, -500), (2, -400, -500)), SIZE).any()
    assert not draw_pose(keypoints_with((1, 5000, 100), (2, 5100, 100)), SIZE).any()


@pytest.mark.parametrize("far", [1e6, -1e12, 1e30])
def test_distant_joints_are_clipped(far: float) -> None:
    image = draw_pose(keypoints_with((1, 96, 128), (2, far, 128)), SIZE)
    assert (image == draw_pose(keypoints_with((1, 96, 128), (2, np.sign(far) * 4096, 128)), SIZE)).all()
    assert image.any()


def test_coincident_joints_draw_a_dot() -> None:
    assert draw_pose(keypoints_with((1, 50, 50), (2, 50, 50)), SIZE).any(-1).sum() < 80
