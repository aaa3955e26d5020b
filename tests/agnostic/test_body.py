"""Missing joints are filled in near where they were, whatever the side and the scale."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tryon.agnostic.body import HIP_WIDTH, body_from_keypoints, hip_half_width
from tryon.dresscode.labels import Joint

TRUNK = [Joint.NECK, Joint.RIGHT_SHOULDER, Joint.LEFT_SHOULDER, Joint.RIGHT_HIP, Joint.LEFT_HIP]
LEGS = [Joint.RIGHT_KNEE, Joint.LEFT_KNEE, Joint.RIGHT_ANKLE, Joint.LEFT_ANKLE]


def test_seen_joints_stay_where_they_are(figure):
    body = body_from_keypoints(figure.keypoints, 512)
    np.testing.assert_allclose(np.array(body.joints).view(float).reshape(18, 2), figure.joints, atol=1e-4)
    assert all(body.seen)


@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("joint", [*TRUNK, *LEGS])
def test_one_missing_joint_of_trunk_or_legs_is_guessed_within_half_a_shoulder_width(figure, joint, back):
    keypoints = figure.keypoints
    if back:
        keypoints[:, 0] = 384 - keypoints[:, 0]
    true = complex(*keypoints[joint, :2])
    keypoints[joint] = -1, -1, 0
    body = body_from_keypoints(keypoints, 512)
    assert abs(body.joints[joint] - true) < 0.5 * body.unit


@given(gone=st.sets(st.sampled_from(list(Joint))))
def test_any_known_part_of_the_trunk_gives_all_of_trunk_and_legs(figure, gone):
    keypoints = figure.keypoints
    keypoints[list(gone)] = -1, -1, 0
    body = body_from_keypoints(keypoints, 512)
    known = any(joint not in gone for joint in (*TRUNK, Joint.NOSE))
    assert np.isfinite(body.at(*TRUNK, *LEGS)).all() == known
    for hand in (Joint.RIGHT_WRIST, Joint.LEFT_WRIST):
        assert np.isfinite(body.joints[hand]) == body.seen[hand]


@given(scale=st.floats(0.1, 8))
def test_the_unit_scales_with_the_picture(figure, scale):
    keypoints = figure.keypoints
    unit = body_from_keypoints(keypoints, 512).unit
    keypoints[:, :2] *= scale
    assert body_from_keypoints(keypoints, round(512 * scale)).unit == pytest.approx(unit * scale, rel=0.01)
    assert 70 < unit < 110


def test_wild_coordinates_leave_a_finite_unit():
    keypoints = np.full((18, 3), (1e30, -1e30, 1.0))
    keypoints[3] = np.nan, np.inf, 1
    body = body_from_keypoints(keypoints, 100)
    assert 0 < body.unit <= 50
    assert not body.seen[3]


def test_the_width_of_the_hips_is_that_of_dense_pose(figure):
    body = body_from_keypoints(figure.keypoints, 512)
    dense_pose = figure.with_(arms="bent").dense_pose
    assert hip_half_width(dense_pose, body) == pytest.approx(44, abs=1)
    assert hip_half_width(dense_pose[:, ::-1], body) == pytest.approx(44, abs=1)
    large = figure.with_(size=(1024, 768))
    twice = hip_half_width(large.dense_pose, body_from_keypoints(large.keypoints, 1024))
    assert twice == pytest.approx(2 * hip_half_width(figure.dense_pose, body), rel=0.02)


def test_without_dense_pose_at_the_hips_shoulders_tell_their_width(figure):
    body = body_from_keypoints(figure.keypoints, 512)
    for dense_pose in (None, np.zeros((512, 384), np.uint8), figure.dense_pose[:100]):
        assert hip_half_width(dense_pose, body) == pytest.approx(HIP_WIDTH * body.unit)
    unknown = body_from_keypoints(np.zeros((18, 3)), 512)
    assert hip_half_width(figure.dense_pose, unknown) == pytest.approx(HIP_WIDTH * unknown.unit)


def test_a_width_that_no_hips_have_is_not_believed(figure):
    body = body_from_keypoints(figure.keypoints, 512)
    everywhere = np.full((512, 384), 2, np.uint8)
    slim = np.zeros((512, 384), np.uint8)
    slim[:, 190:200] = 2
    assert hip_half_width(slim, body) < HIP_WIDTH * body.unit < hip_half_width(everywhere, body) <= 0.75 * body.unit
