from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tryon.categories import LEVELS
from tryon.synthetic.figure.body import (
    ANKLE,
    BUST,
    FOREARM,
    HIP,
    HIP_JOINT,
    KNEE,
    UPPER_ARM,
    WAIST,
    Body,
    Build,
    sample_build,
)
from tryon.synthetic.figure.pose import LEFT, MANNEQUIN, RIGHT, SIDES
from tryon.synthetic.figure.surfaces import trunk_points


def length(start, end):
    return float(np.hypot(*(end - start)))


def test_the_right_of_the_body_is_on_the_left_of_the_image():
    body = Body()
    assert body.shoulder(RIGHT)[0] < 0 < body.shoulder(LEFT)[0]
    assert body.toe_point(RIGHT)[0] < 0 < body.toe_point(LEFT)[0]


@pytest.mark.parametrize("level", LEVELS)
def test_bones_keep_their_length_unless_they_point_at_the_viewer(bodies, level):
    for body in bodies(level, 80):
        for side, arm in zip(SIDES, body.pose.arms, strict=True):
            shoulder, elbow, wrist = body.arm_joints(side).values()
            upper = UPPER_ARM * (arm.shortening if arm.kind in ("hip", "crossed") else 1)
            assert length(shoulder, elbow) == pytest.approx(upper)
            assert length(elbow, wrist) == pytest.approx(FOREARM * arm.shortening, rel=0.01)
            hip, knee, ankle = body.leg_joints(side).values()
            assert length(hip, knee) == pytest.approx(KNEE - HIP_JOINT)
            assert length(knee, ankle) == pytest.approx(ANKLE - KNEE)


def test_hands_rest_on_the_hip_and_beyond_the_middle(bodies):
    seen = set()
    for body in bodies("wild", 150):
        for side, arm in zip(SIDES, body.pose.arms, strict=True):
            _, elbow, wrist = body.arm_joints(side).values()
            middle = body.center(wrist[1])[0]
            if arm.kind == "hip":
                assert body.half_width(wrist[1]) < side * (wrist[0] - middle) < side * (elbow[0] - middle)
            if arm.kind == "crossed":
                assert side * (wrist[0] - middle) < 0 < side * (elbow[0] - middle)
            seen.add(arm.kind)
    assert {"hip", "crossed"} <= seen


def test_mirrored_poses_give_mirrored_bodies(bodies):
    for body in bodies("wild", 30):
        p = body.pose
        opposite = replace(
            p, lean=-p.lean, sway=-p.sway, shoulder_tilt=-p.shoulder_tilt, hip_tilt=-p.hip_tilt, turn=-p.turn,
            head_tilt=-p.head_tilt, head_turn=-p.head_turn, arms=p.arms[::-1], legs=p.legs[::-1],
        )  # fmt: skip
        other = Body(body.build, opposite)
        for side in SIDES:
            assert np.allclose(body.arm_line(side), other.arm_line(-side) * (-1, 1))
            assert np.allclose(body.toe_point(side), other.toe_point(-side) * (-1, 1))


def test_a_turned_trunk_is_narrower_its_front_shifts_and_its_limbs_come_closer():
    straight, turned = Body(), Body(pose=replace(MANNEQUIN, turn=1.0))
    assert turned.half_width(WAIST) == pytest.approx(straight.half_width(WAIST) * 0.864, rel=0.01)
    heights = np.array([BUST, WAIST, HIP])
    middle = trunk_points(turned, heights, np.array([0.0]), turned.half_width(heights))[:, 0]
    assert (middle[:, 0] > 0.2 * turned.half_width(heights)).all()
    for joints in (Body.arm_joints, Body.leg_joints):
        spans = [next(iter(joints(body, LEFT).values()))[0] for body in (straight, turned)]
        assert spans[1] < 0.9 * spans[0]
    assert turned.shoulder(LEFT)[0] - middle[0, 0] < middle[0, 0] - turned.shoulder(RIGHT)[0]


def test_columns_around_a_turned_trunk_keep_their_order(bodies):
    heights, columns = np.linspace(0.16, 0.5, 9), np.linspace(-1, 1, 21)
    for body in bodies("wild", 40):
        points = trunk_points(body, heights, columns, body.half_width(heights))
        assert (np.diff(points[..., 0], axis=1) > 0).all()


def test_builds_go_from_slim_to_large_with_broad_and_narrow_shoulders():
    builds = [sample_build(np.random.default_rng(number), "wild") for number in range(300)]
    waists = np.array([build.waist for build in builds]) / Build().waist
    over_hips = np.array([build.shoulder / build.hip for build in builds])
    assert waists.min() < 0.9
    assert waists.max() > 1.35
    assert over_hips.min() < 0.92
    assert over_hips.max() > 1.2


def test_elbows_and_wrists_lie_inside_the_arm(bodies):
    for body in bodies("wild", 80):
        for side in SIDES:
            joints, line = body.arm_joints(side), body.arm_line(side)
            for name in ("ELBOW", "WRIST"):
                assert np.hypot(*(line - joints[name]).T).min() < 0.75 * body.build.arm
