"""Simulate the output of a pose estimator."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tryon.dresscode.labels import Joint
from tryon.dresscode.layout import HEIGHT, WIDTH
from tryon.synthetic.figure.body import Body
from tryon.synthetic.figure.camera import Camera
from tryon.synthetic.figure.pose import LEFT, RIGHT, SIDES, Side

HEAD_JOINTS = (Joint.NOSE, Joint.RIGHT_EYE, Joint.LEFT_EYE, Joint.RIGHT_EAR, Joint.LEFT_EAR)
CROPPED_REACH = 90.0
"""Head joints up to so many pixels above the frame are still detected, at y = 0."""

_EARS: tuple[tuple[Side, Joint], ...] = ((RIGHT, Joint.RIGHT_EAR), (LEFT, Joint.LEFT_EAR))
_WRISTS: tuple[tuple[Side, Joint], ...] = ((RIGHT, Joint.RIGHT_WRIST), (LEFT, Joint.LEFT_WRIST))
_OCCLUDED_SCORE = 0.4
_EAR_OCCLUSION_TURN = 0.35
"""Turn of the head from which its far ear is occluded."""


def find_keypoints(body: Body, camera: Camera, rng: np.random.Generator) -> NDArray[np.float64]:
    """Simulate detected key points with scores and random misses.

    Head joints just above the frame are detected at y = 0. A wrist behind the back is missing; one under a crossed arm
    or behind a leg gets a low score.

    Returns:
        float64 (18, 3): x, y in pixels of the photo, score; missing (-1, -1, 0).
    """
    points = np.concatenate([camera(body.joints), rng.uniform(0.72, 0.97, (len(Joint), 1))], axis=1)
    for joint in HEAD_JOINTS:
        if -CROPPED_REACH < points[joint, 1] < 0:
            points[joint, 1:] = 0, points[joint, 2] * 0.5
    x, y = points[:, 0], points[:, 1]
    missing = (x < 0) | (x > WIDTH - 1) | (y < 0) | (y > HEIGHT - 1)
    for arm, (side, wrist) in zip(body.pose.arms, _WRISTS, strict=True):
        missing[wrist] |= arm.kind == "behind"
        if _wrist_is_occluded(body, side):
            points[wrist, 2] *= _OCCLUDED_SCORE
    for side, ear in _EARS:
        missing[ear] |= body.pose.head_turn * side > _EAR_OCCLUSION_TURN
    missing |= rng.random(len(Joint)) < np.where(np.isin(np.arange(len(Joint)), HEAD_JOINTS), 0.02, 0.004)
    points[missing] = -1, -1, 0
    return points


def _wrist_is_occluded(body: Body, side: Side) -> bool:
    """Return whether the wrist is under the other crossed arm, or on the far side behind trunk or leg."""
    if body.pose.arm_pose == "crossed":
        return side != body.pose.front_arm
    wrist = body.arm_joints(side)["WRIST"]
    leg = abs(wrist[0] - body.leg_point(side, wrist[1])[0]) < body.leg_half_width(wrist[1])
    trunk = abs(wrist[0] - body.center(wrist[1])[0]) < body.half_width(wrist[1])
    return (
        side == body.pose.occluded_side
        and body.pose.arms[SIDES.index(side)].kind in ("side", "out")
        and bool(leg or trunk)
    )
