"""How a figure stands: angles of trunk, arms and legs, and how they are drawn by chance.

Angles are degrees from straight down, positive away from the middle of the body. Side -1 is the wearer's right, which
is on the left of the picture; side +1 is the wearer's left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tryon.synthetic.levels import Level

Side = Literal[-1, 1]
RIGHT: Side = -1
LEFT: Side = 1
SIDES: tuple[Side, Side] = (RIGHT, LEFT)

ArmKind = Literal["side", "out", "bent", "hip", "behind"]


@dataclass(frozen=True)
class Arm:
    """One arm.

    Args:
        kind: hanging at the side, held out, bent in front of the body, hand on the hip, forearm behind the back.
        upper: angle of the upper arm.
        lower: angle of the forearm; unused for `hip`, where the wrist lies on the hip.
        shortening: length of the forearm as seen, as part of its true length (it points at the viewer a little).
    """

    kind: ArmKind
    upper: float
    lower: float
    shortening: float = 1.0


@dataclass(frozen=True)
class Leg:
    """One leg: angles of thigh and shin."""

    upper: float
    lower: float


@dataclass(frozen=True)
class Pose:
    """A whole stance.

    Args:
        lean: sideways offset of the neck over the pelvis, in body heights.
        sway: sideways offset of the waist, in body heights.
        shoulder_tilt: angle of the shoulder line, positive lowers the wearer's left.
        hip_tilt: the same for the hip line.
        turn: -1..1, how far the trunk turns; shifts what lies in the middle of its front towards one side.
        head_tilt: angle of the head.
        arms: right, left.
        legs: right, left.
    """

    lean: float
    sway: float
    shoulder_tilt: float
    hip_tilt: float
    turn: float
    head_tilt: float
    arms: tuple[Arm, Arm]
    legs: tuple[Leg, Leg]


MANNEQUIN = Pose(
    0, 0, 0, 0, 0, 0, (Arm("out", 25, 20), Arm("out", 25, 20)), (Leg(3.0, 2.5), Leg(3.0, 2.5))
)  # fmt: skip
"""The stance in which garments lie flat: straight, arms and legs a little apart."""

_ARM_WEIGHTS: dict[ArmKind, float] = {"side": 0.46, "out": 0.14, "bent": 0.12, "hip": 0.2, "behind": 0.08}


def sample_pose(rng: np.random.Generator, level: Level) -> Pose:
    """Draw a stance: mostly the catalogue's (front view, arms at the side or on the hip), some others."""
    right, left = (_sample_arm(rng) for _ in SIDES)
    if right.kind == left.kind == "behind":
        right = Arm("side", 12, 8)
    return Pose(
        lean=rng.normal(0, 0.006),
        sway=rng.normal(0, 0.005),
        shoulder_tilt=rng.normal(0, 1.5),
        hip_tilt=rng.normal(0, 1.8),
        turn=float(np.clip(rng.normal(0, 0.3), -0.8, 0.8)),
        head_tilt=rng.normal(0, 4),
        arms=(right, left),
        legs=_sample_legs(rng),
    )


def _sample_arm(rng: np.random.Generator) -> Arm:
    kind: ArmKind = rng.choice(list(_ARM_WEIGHTS), p=list(_ARM_WEIGHTS.values()))
    if kind == "side":
        upper = rng.uniform(6, 18)
        return Arm(kind, upper, upper + rng.uniform(-13, 5))
    if kind == "out":
        return Arm(kind, rng.uniform(18, 32), rng.uniform(2, 28))
    if kind == "bent":
        return Arm(kind, rng.uniform(12, 24), rng.uniform(-75, -35), rng.uniform(0.7, 0.9))
    if kind == "hip":
        return Arm(kind, rng.uniform(34, 46), 0)
    return Arm(kind, rng.uniform(12, 22), rng.uniform(-60, -35), 0.9)


def _sample_legs(rng: np.random.Generator) -> tuple[Leg, Leg]:
    wide = rng.uniform(6, 12) if rng.random() < 0.12 else rng.uniform(0, 4)
    right, left = (wide + rng.normal(0, 1.0) for _ in SIDES)
    return Leg(right, right + rng.uniform(-4, 1.5)), Leg(left, left + rng.uniform(-4, 1.5))
