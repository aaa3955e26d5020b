"""Missing joints are imputed near their true positions, from either side and at any scale."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tryon.agnostic.masks.body import HIP_WIDTH, body_from_keypoints, hip_half_width
from tryon.dresscode.labels import Joint

TRUNK = [Joint.NECK, Joint.RIGHT_SHOULDER, Joint.LEFT_SHOULDER, Joint.RIGHT_HIP, Joint.LEFT_HIP]
HEAD = [Joint.NOSE, Joint.RIGHT_EYE, Joint.LEFT_EYE, Joint.RIGHT_EAR, Joint.LEFT_EAR]
LEGS = [Joint.RIGHT_KNEE, Joint.LEFT_KNEE, Joint.RIGHT_ANKLE, Joint.LEFT_ANKLE]


def test_detected_joints_are_not_changed(figure):
    body = body_from_keypoints(figure.keypoints, 512)
    np.testing.assert_allclose(np.array(body.joints).view(float).reshape(18, 2), figure.joints, atol=1e-4)
    assert all(body.detected)


@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("joint", [*TRUNK, *LEGS])
def test_missing_joint_is_imputed_within_half_a_shoulder_width(figure, joint, back):
    keypoints = figure.keypoints
    if back:
        keypoints[:, 0] = 384 - keypoints[:, 0]
    true = complex(*keypoints[joint, :2])
    keypoints[joint] = -1, -1, 0
    body = body_from_keypoints(keypoints, 512)
    assert abs(body.joints[joint] - true) < 0.5 * body.unit


@given(missing=st.sets(st.sampled_from(list(Joint))))
def test_any_known_joint_of_the_body_gives_all_of_trunk_and_legs(figure, missing):
    keypoints = figure.keypoints
    keypoints[list(missing)] = -1, -1, 0
    body = body_from_keypoints(keypoints, 512)
    known = any(joint not in missing for joint in (*TRUNK, *LEGS, *HEAD))
    assert np.isfinite(body.at(*TRUNK, *LEGS)).all() == known
    for hand in (Joint.RIGHT_WRIST, Joint.LEFT_WRIST):
        assert np.isfinite(body.joints[hand]) == body.detected[hand]


HIPS = (Joint.RIGHT_HIP, Joint.LEFT_HIP)


@pytest.mark.parametrize(
    "missing",
    [
        HIPS,
        (*HIPS, Joint.LEFT_KNEE),
        (*HIPS, Joint.RIGHT_KNEE, Joint.LEFT_KNEE),
        (*HIPS, *TRUNK, *HEAD),
        (*HIPS, *TRUNK, *HEAD, Joint.RIGHT_ANKLE, Joint.RIGHT_KNEE),
        (*HIPS, *LEGS),
    ],
)
def test_missing_hips_are_imputed_from_shoulders_and_legs(figure, missing):
    true = body_from_keypoints(figure.keypoints, 512)
    keypoints = figure.keypoints
    keypoints[list(missing)] = -1, -1, 0
    body = body_from_keypoints(keypoints, 512)
    assert abs(body.midpoint(*HIPS) - true.midpoint(*HIPS)) < 0.35 * true.unit


def test_hips_of_a_leaning_body_are_between_neck_and_knees(figure):
    keypoints = figure.keypoints
    keypoints[:, 0] += 0.4 * (keypoints[:, 1] - 236)  # sheared: the hips stay where they are
    hips = body_from_keypoints(keypoints, 512).midpoint(*HIPS)
    keypoints[list(HIPS)] = -1, -1, 0
    assert abs(body_from_keypoints(keypoints, 512).midpoint(*HIPS) - hips) < 20


@given(
    st.sets(st.sampled_from(list(Joint)[1:14]), min_size=3),
    st.floats(-100, 600),
    st.floats(-100, 600),
    st.sampled_from([64, 512, 2048]),
)
def test_coincident_joints_are_missing_at_any_size(figure, coincident, x, y, height):
    keypoints = figure.with_(size=(height, height * 3 // 4)).keypoints
    point = np.array([x, y]) * height / 512
    rest = np.delete(keypoints[1:14, :2], [joint - 1 for joint in coincident], axis=0)
    assume(len(rest) == 0 or np.hypot(*(rest - point).T).min() > 0.02 * height)
    rng = np.random.default_rng(len(coincident))
    keypoints[list(coincident), :2] = point + rng.uniform(-0.002, 0.002, (len(coincident), 2)) * height
    body = body_from_keypoints(keypoints, height, height * 3 // 4)
    assert [joint for joint in Joint if not body.detected[joint]] == sorted(coincident)


def test_two_coincident_joints_are_folded_hands(figure):
    keypoints = figure.keypoints
    keypoints[Joint.LEFT_WRIST] = keypoints[Joint.RIGHT_WRIST]
    assert all(body_from_keypoints(keypoints, 512).detected)


@pytest.mark.parametrize(("x", "y"), [(-300, 100), (700, 100), (100, -300), (100, 800), (np.nan, 100), (1e30, np.inf)])
def test_joint_far_outside_the_image_is_missing(figure, x, y):
    keypoints = figure.keypoints
    keypoints[Joint.LEFT_WRIST, :2] = x, y
    body = body_from_keypoints(keypoints, 512, 384)
    assert [joint for joint in Joint if not body.detected[joint]] == [Joint.LEFT_WRIST]
    keypoints[Joint.LEFT_WRIST, :2] = 384 + 100, 512 + 100  # half out of frame
    assert all(body_from_keypoints(keypoints, 512, 384).detected)


@given(scale=st.floats(0.1, 8))
def test_unit_scales_with_the_image(figure, scale):
    keypoints = figure.keypoints
    unit = body_from_keypoints(keypoints, 512).unit
    keypoints[:, :2] *= scale
    assert body_from_keypoints(keypoints, round(512 * scale)).unit == pytest.approx(unit * scale, rel=0.01)
    assert 70 < unit < 110


def test_extreme_coordinates_give_a_finite_unit():
    keypoints = np.full((18, 3), (1e30, -1e30, 1.0))
    keypoints[3] = np.nan, np.inf, 1
    body = body_from_keypoints(keypoints, 100)
    assert 0 < body.unit <= 50
    assert not body.detected[3]


def test_hip_width_is_measured_on_dense_pose(figure):
    body = body_from_keypoints(figure.keypoints, 512)
    dense_pose = figure.with_(arms="bent").dense_pose
    assert hip_half_width(dense_pose, body) == pytest.approx(44, abs=1)
    assert hip_half_width(dense_pose[:, ::-1], body) == pytest.approx(44, abs=1)
    large = figure.with_(size=(1024, 768))
    twice = hip_half_width(large.dense_pose, body_from_keypoints(large.keypoints, 1024))
    assert twice == pytest.approx(2 * hip_half_width(figure.dense_pose, body), rel=0.02)


def test_hip_width_without_dense_pose_depends_on_the_shoulders(figure):
    body = body_from_keypoints(figure.keypoints, 512)
    for dense_pose in (None, np.zeros((512, 384), np.uint8), figure.dense_pose[:100]):
        assert hip_half_width(dense_pose, body) == pytest.approx(HIP_WIDTH * body.unit)
    unknown = body_from_keypoints(np.zeros((18, 3)), 512)
    assert hip_half_width(figure.dense_pose, unknown) == pytest.approx(HIP_WIDTH * unknown.unit)


def test_hip_width_is_bounded(figure):
    body = body_from_keypoints(figure.keypoints, 512)
    everywhere = np.full((512, 384), 2, np.uint8)
    slim = np.zeros((512, 384), np.uint8)
    slim[:, 190:200] = 2
    assert hip_half_width(slim, body) < HIP_WIDTH * body.unit < hip_half_width(everywhere, body) <= 0.75 * body.unit
