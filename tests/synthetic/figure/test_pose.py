from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tryon.agnostic.masks.attributes import classify_arm_pose
from tryon.agnostic.masks.body import body_from_keypoints
from tryon.categories import LEVELS
from tryon.dresscode.layout import HEIGHT
from tryon.synthetic.figure.camera import Camera
from tryon.synthetic.figure.keypoints import find_keypoints
from tryon.synthetic.figure.pose import LEFT, MANNEQUIN, MAX_TURN_DEGREES, RIGHT, Arm, sample_pose

WHOLE = Camera(900.0, 384.0, 40.0)
"""Everything is in the frame."""


def poses(level, count=400):
    return [sample_pose(np.random.default_rng((1, number)), level) for number in range(count)]


def test_easy_stands_straight():
    kinds = {arm.kind for pose in poses("easy") for arm in pose.arms}
    assert kinds == {"side", "out"}
    assert max(abs(pose.turn) * MAX_TURN_DEGREES for pose in poses("easy")) < 5


def test_the_catalogue_mostly_lets_the_arms_hang_and_turns_little():
    words = [pose.arm_pose for pose in poses("catalogue")]
    assert words.count("side") > 0.45 * len(words)
    assert 0 < words.count("crossed") < 0.1 * len(words)
    assert 15 < max(abs(pose.turn) * MAX_TURN_DEGREES for pose in poses("catalogue")) <= 25


def test_wild_does_everything_often():
    kinds = [arm.kind for pose in poses("wild") for arm in pose.arms]
    for kind in ("side", "out", "bent", "hip", "crossed", "behind"):
        assert kinds.count(kind) > 0.08 * len(kinds)
    assert np.mean([abs(pose.turn) * MAX_TURN_DEGREES > 20 for pose in poses("wild")]) > 0.25
    assert {pose.front_arm for pose in poses("wild")} == {RIGHT, LEFT}


@pytest.mark.parametrize("level", LEVELS)
def test_words_for_the_arms_are_those_read_from_the_key_points(bodies, level):
    wrong = []
    for number, body in enumerate(bodies(level, 150)):
        found = find_keypoints(body, WHOLE, np.random.default_rng(number))
        hidden = (found[2:8, 2] == 0) & [True, True, body.pose.arms[0].kind != "behind"] * 2
        if hidden.any():
            continue  # a joint missed by chance
        read = classify_arm_pose(body_from_keypoints(found, HEIGHT))
        wrong += [(read, body.pose)] if read != body.pose.arm_pose else []
    assert not wrong


def test_turning_narrows_like_an_ellipse_and_shifts_the_front():
    half = np.deg2rad(MAX_TURN_DEGREES)
    turned = replace(MANNEQUIN, turn=1.0)
    assert turned.width_factor == pytest.approx(np.sqrt(np.cos(half) ** 2 + (0.62 * np.sin(half)) ** 2))
    assert turned.spacing == pytest.approx(np.cos(half))
    assert 0 < turned.front_shift < 0.5
    assert replace(MANNEQUIN, turn=-1.0).front_shift == -turned.front_shift
    assert (MANNEQUIN.width_factor, MANNEQUIN.spacing, MANNEQUIN.front_shift, MANNEQUIN.occluded_side) == (
        1,
        1,
        0,
        None,
    )
    assert (turned.occluded_side, replace(MANNEQUIN, turn=-1.0).occluded_side) == (LEFT, RIGHT)


def test_two_arms_behind_the_back_are_hidden_and_one_is_not():
    behind, side = Arm("behind", 15, -50), Arm("side", 10, 5)
    assert replace(MANNEQUIN, arms=(behind, behind)).arm_pose == "hidden"
    assert replace(MANNEQUIN, arms=(behind, side)).arm_pose == "side"
