from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tryon.dresscode.labels import Joint
from tryon.synthetic.figure.body import Body
from tryon.synthetic.figure.camera import Camera
from tryon.synthetic.figure.keypoints import CROPPED_REACH, HEAD_JOINTS, find_keypoints
from tryon.synthetic.figure.pose import LEFT, MANNEQUIN, RIGHT, Arm

WHOLE = Camera(900.0, 384.0, 40.0)
HANGING, BEHIND, CROSSED = Arm("side", 10, 5), Arm("behind", 15, -50), Arm("crossed", 0, 0, 1.0, 0.3)


def often(pose, camera=WHOLE, count=60):
    """What is found of a pose in many images, (N, 18, 3)."""
    return np.stack([find_keypoints(Body(pose=pose), camera, np.random.default_rng(n)) for n in range(count)])


def test_joints_in_the_frame_are_found_where_they_are():
    found = often(MANNEQUIN)
    seen = found[..., 2] > 0
    assert seen.mean() > 0.97
    assert np.allclose(found[seen][:, :2], np.broadcast_to(WHOLE(Body().joints), (60, 18, 2))[seen])
    assert (found[~seen] == (-1, -1, 0)).all()


@pytest.mark.parametrize(("above", "found"), [(CROPPED_REACH - 5, True), (CROPPED_REACH + 5, False)])
def test_a_head_just_above_the_frame_is_found_at_its_edge(above, found):
    nose = Body().joints[Joint.NOSE]
    camera = Camera(900.0, 384.0, -above - nose[1] * 900.0)
    points = often(MANNEQUIN, camera)[:, Joint.NOSE]
    seen = points[points[:, 2] > 0]
    assert (len(seen) > 50) == found
    assert (seen[:, 1] == 0).all()


def test_other_joints_above_the_frame_are_missing():
    shoulder = Body().shoulder(RIGHT)
    points = often(MANNEQUIN, Camera(900.0, 384.0, -20 - shoulder[1] * 900.0))
    assert (points[:, [Joint.RIGHT_SHOULDER, *HEAD_JOINTS], 2] == 0).all()


def test_a_wrist_behind_the_back_is_missing():
    found = often(replace(MANNEQUIN, arms=(BEHIND, HANGING)))
    assert (found[:, Joint.RIGHT_WRIST] == (-1, -1, 0)).all()
    assert (found[:, Joint.RIGHT_ELBOW, 2] > 0).mean() > 0.9
    assert (found[:, Joint.LEFT_WRIST, 2] > 0.7).mean() > 0.9


@pytest.mark.parametrize(("over", "under"), [(LEFT, Joint.RIGHT_WRIST), (RIGHT, Joint.LEFT_WRIST)])
def test_a_wrist_under_the_other_arm_is_guessed(over, under):
    scores = often(replace(MANNEQUIN, arms=(CROSSED, CROSSED), front_arm=over))[:, under, 2]
    assert scores.max() < 0.4
    assert (scores > 0.2).mean() > 0.9


@pytest.mark.parametrize(("turn", "far", "near"), [(0.9, Joint.LEFT_EAR, Joint.RIGHT_EAR), (-0.9, Joint.RIGHT_EAR, Joint.LEFT_EAR)])  # fmt: skip # noqa: E501
def test_the_far_ear_of_a_turned_head_is_missing(turn, far, near):
    found = often(replace(MANNEQUIN, head_turn=turn))
    assert (found[:, far, 2] == 0).all()
    assert (found[:, near, 2] > 0).mean() > 0.9
