from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from tryon.categories import LEVELS, Category, Level
from tryon.dresscode.labels import DensePart, Label
from tryon.synthetic.figure.appearance import Appearance, sample_appearance
from tryon.synthetic.figure.body import Body
from tryon.synthetic.figure.camera import Camera, sample_camera
from tryon.synthetic.figure.pose import LEFT, MANNEQUIN, RIGHT, Arm
from tryon.synthetic.figure.skin import DEPTH_TRUNK, arm_depths, skin_layers
from tryon.synthetic.paint.layers import Layer

WHOLE = Camera(900.0, 384.0, 60.0)
HIP = Arm("hip", 0, 0, 1.0, 0.42)
CROSSED = Arm("crossed", 0, 0, 1.0, 0.3)


def a_look(number: int, level: Level = "catalogue") -> Appearance:
    return sample_appearance(np.random.default_rng((2, number)), level)


def layers_of(body: Body, number: int, level: Level = "catalogue") -> list[Layer]:
    return skin_layers(body, a_look(number, level), WHOLE, sleeved=False)


def body_layers(bodies, count: int = 12) -> Iterator[Layer]:
    for level in LEVELS:
        for number, body in enumerate(bodies(level, count)):
            yield from (layer for layer in layers_of(body, number, level) if layer.dense is not None)


def test_every_layer_of_the_body_has_surface_coordinates_and_nothing_else_has(bodies):
    for number, body in enumerate(bodies("wild", 20)):
        for layer in layers_of(body, number, "wild"):
            assert (layer.uv is None) == (layer.dense is None)
            if layer.uv is not None:
                assert layer.uv.shape == layer.points.shape
                assert layer.uv.min() >= 0
                assert layer.uv.max() <= 1


def test_surface_coordinates_have_no_jumps(bodies):
    """Between two neighbors of a mesh they change by no more than the mesh is coarse."""
    for layer in body_layers(bodies):
        assert layer.uv is not None
        for axis in (0, 1):
            steps = np.abs(np.diff(layer.uv, axis=axis)).max()
            assert steps < 4.5 / (layer.uv.shape[axis] - 1)


def test_charts_are_used_to_their_ends(bodies):
    """Along the trunk, an arm and a leg v takes all values from 0 to 1."""
    reached: dict[int, list[float]] = {}
    for layer in body_layers(bodies, 3):
        assert layer.uv is not None
        assert layer.dense is not None
        for part in np.unique(layer.dense):
            v = layer.uv[layer.dense == part][:, 1]
            reached[int(part)] = [*reached.get(int(part), []), float(v.min()), float(v.max())]
    for part in (DensePart.TORSO_FRONT, DensePart.LEFT_UPPER_LEG_FRONT, DensePart.RIGHT_UPPER_ARM_OUTER):
        assert min(reached[part]) < 0.05
        assert max(reached[part]) > 0.95


def test_left_and_right_mirror_each_other():
    """On the mirrored mannequin a point and its mirror image have the same coordinates."""
    by_part = {}
    for layer in layers_of(Body(), 0):
        if layer.dense is not None:
            by_part[DensePart(int(np.median(layer.dense))).name] = layer
    for part in ("UPPER_LEG_FRONT", "FOOT", "HAND"):
        right, left = by_part[f"RIGHT_{part}"], by_part[f"LEFT_{part}"]
        flip = 1 if part in ("FOOT", "HAND") else -1  # drawings are laid mirrored, tubes are not
        assert np.allclose((right.points - (384, 0)) * (-1, 1), (left.points - (384, 0))[:, ::flip], atol=0.2)
        assert np.allclose(right.uv, left.uv[:, ::flip])


def test_a_limb_keeps_its_coordinates_in_another_pose(bodies):
    """At the elbow of every figure v is 1, at the wrist 0."""
    for body in bodies("wild", 30):
        for layer in layers_of(body, 1):
            parts = set() if layer.dense is None else {DensePart(int(part)).name for part in np.unique(layer.dense)}
            if layer.depth < DEPTH_TRUNK or not any("LOWER_ARM" in part for part in parts):
                continue
            for side in (LEFT, RIGHT):
                if f"{'LEFT' if side == LEFT else 'RIGHT'}_LOWER_ARM_OUTER" in parts:
                    assert layer.uv is not None
                    elbow = WHOLE(body.arm_line(side)[round(body.elbow_and_wrist(side)[0] * 63)])
                    row = np.argmin(np.hypot(*(layer.points[:, 4] - elbow).T))
                    assert layer.uv[row, 4, 1] > 0.9


def test_hands_have_fingers_and_belong_to_the_arm():
    hip = Body(pose=replace(MANNEQUIN, arms=(HIP, HIP)))
    hands = [layer for layer in layers_of(hip, 0) if layer.dense is not None and DensePart.LEFT_HAND in layer.dense]
    assert len(hands) == 1
    hand = hands[0]
    assert hand.label == Label.LEFT_ARM
    assert hand.texture is not None
    runs = (np.diff((hand.texture[..., 3] > 128).astype(int), axis=1) == 1).sum(1)
    assert runs.max() >= 3  # finger tips stand apart


def test_the_upper_of_two_crossed_arms_lies_over_the_other():
    for over in (LEFT, RIGHT):
        depths = arm_depths(Body(pose=replace(MANNEQUIN, arms=(CROSSED, CROSSED), front_arm=over)))
        assert depths[over] > depths[-over] > DEPTH_TRUNK


def test_an_arm_behind_the_back_and_the_far_arm_of_a_turned_body_lie_behind_the_trunk():
    behind = replace(MANNEQUIN, arms=(Arm("behind", 15, -50), Arm("side", 10, 5)))
    assert arm_depths(Body(pose=behind))[RIGHT] < DEPTH_TRUNK < arm_depths(Body(pose=behind))[LEFT]
    turned = arm_depths(Body(pose=replace(MANNEQUIN, turn=0.9)))
    assert turned[LEFT] < DEPTH_TRUNK < turned[RIGHT]


@pytest.mark.parametrize("level", LEVELS)
def test_looks_differ_and_repeat(level):
    looks = [a_look(number, level) for number in range(60)]
    assert looks == [a_look(number, level) for number in range(60)]
    assert len({look.hair for look in looks}) >= 6
    assert len({look.shoe.kind for look in looks}) == 4
    light = [sum(look.skin) for look in looks]
    assert max(light) - min(light) > 300


def test_upper_bodies_are_mostly_cropped_between_eyes_and_mouth():
    body = Body()
    eyes, mouth = body.head_point(0, 0.5), body.head_point(0, 0.86)
    cameras = [sample_camera(Category.UPPER_BODY, np.random.default_rng(n), "catalogue") for n in range(200)]
    cropped = [camera(eyes)[1] < 0 < camera(mouth)[1] + 1 for camera in cameras]
    assert np.mean(cropped) > 0.6
    dresses = [sample_camera(Category.DRESSES, np.random.default_rng(n), "catalogue") for n in range(200)]
    assert 0.2 < np.mean([camera(body.head_point(0, 0))[1] > 0 for camera in dresses]) < 0.6
