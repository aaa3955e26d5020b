"""Define and sample poses.

Angles are degrees from straight down, positive away from the center of the body. Side -1 is the wearer's right, on the
left of the image; side +1 is the wearer's left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from tryon.categories import Level

Side = Literal[-1, 1]
RIGHT: Side = -1
LEFT: Side = 1
SIDES: tuple[Side, Side] = (RIGHT, LEFT)

ArmKind = Literal["side", "out", "bent", "hip", "crossed", "behind"]
ArmPose = Literal["side", "bent", "crossed", "hidden"]

MAX_TURN_DEGREES = 40.0
"""Rotation of the trunk at `turn` 1."""

_DEPTH_RATIO = 0.62
"""Depth of the trunk relative to its width; its cross-section is an ellipse."""

_OCCLUSION_TURN = 0.35
"""Turn from which a hanging arm on the far side is behind the trunk."""


@dataclass(frozen=True)
class Arm:
    """Pose of one arm.

    Args:
        kind: hanging, held out, bent in front of the body, hand on the hip, crossed over the chest, behind the back.
        upper: angle of the upper arm; unused for `hip` and `crossed`.
        lower: angle of the forearm; unused for `hip` and `crossed`.
        shortening: visible length relative to the true length of the forearm (`hip`, `crossed`: of the arm).
        rest_height: height of the wrist on the body for `hip` and `crossed`.
    """

    kind: ArmKind
    upper: float
    lower: float
    shortening: float = 1.0
    rest_height: float = 0.42


@dataclass(frozen=True)
class Leg:
    """Angles of thigh and shin."""

    upper: float
    lower: float


@dataclass(frozen=True)
class Pose:
    """Pose of a body.

    Args:
        lean: lateral offset of the neck relative to the pelvis, in body heights.
        sway: lateral offset of the waist, in body heights.
        shoulder_tilt: angle of the shoulder line; positive lowers the wearer's left.
        hip_tilt: angle of the hip line.
        turn: -1..1, rotation of the trunk in `MAX_TURN_DEGREES`; positive turns its front to the right of the image.
        head_tilt: angle of the head.
        arms: right, left.
        legs: right, left.
        head_turn: rotation of the head, like `turn`.
        front_arm: side of the upper one of two crossed arms.
    """

    lean: float
    sway: float
    shoulder_tilt: float
    hip_tilt: float
    turn: float
    head_tilt: float
    arms: tuple[Arm, Arm]
    legs: tuple[Leg, Leg]
    head_turn: float = 0.0
    front_arm: Side = LEFT

    @property
    def arm_pose(self) -> ArmPose:
        """Return the arm pose as reported in `people.csv`."""
        kinds = {arm.kind for arm in self.arms}
        if kinds == {"crossed"}:
            return "crossed"
        if kinds == {"behind"}:
            return "hidden"
        return "bent" if kinds & {"bent", "hip", "crossed"} else "side"

    @property
    def width_factor(self) -> float:
        """Return the visible width of the turned trunk, an ellipse, relative to its frontal width."""
        angle = np.deg2rad(MAX_TURN_DEGREES * self.turn)
        return float(np.hypot(np.cos(angle), _DEPTH_RATIO * np.sin(angle)))

    @property
    def spacing(self) -> float:
        """Return the visible distance of points side by side, such as the hip joints, relative to the frontal view."""
        return float(np.cos(np.deg2rad(MAX_TURN_DEGREES * self.turn)))

    @property
    def front_shift(self) -> float:
        """Return the shift of the center of the front, -0.5..0.5 visible half-widths of the trunk."""
        return float(_DEPTH_RATIO * np.sin(np.deg2rad(MAX_TURN_DEGREES * self.turn))) / self.width_factor

    @property
    def occluded_side(self) -> Side | None:
        """Return the side turned away from the viewer; None if hardly turned."""
        if abs(self.turn) < _OCCLUSION_TURN:
            return None
        return LEFT if self.turn > 0 else RIGHT


MANNEQUIN = Pose(
    0, 0, 0, 0, 0, 0, (Arm("out", 25, 20), Arm("out", 25, 20)), (Leg(3.0, 2.5), Leg(3.0, 2.5))
)  # fmt: skip
"""Pose of garments laid flat: straight, arms and legs slightly apart."""

_ARM_PAIRS: dict[Level, dict[str, float]] = {
    "easy": {"single": 1.0},
    "catalogue": {"single": 0.9, "hips": 0.05, "crossed": 0.04, "behind": 0.01},
    "wild": {"single": 0.65, "hips": 0.1, "crossed": 0.2, "behind": 0.05},
}
"""Probabilities of joint arm poses; `single` samples each arm independently."""

_ARMS: dict[Level, dict[ArmKind, float]] = {
    "easy": {"side": 0.6, "out": 0.4},
    "catalogue": {"side": 0.6, "out": 0.12, "bent": 0.1, "hip": 0.14, "behind": 0.04},
    "wild": {"side": 0.2, "out": 0.16, "bent": 0.28, "hip": 0.2, "behind": 0.16},
}

_LEGS: dict[Level, dict[str, float]] = {
    "easy": {"straight": 1.0},
    "catalogue": {"straight": 0.6, "wide": 0.1, "free": 0.25, "crossed": 0.05},
    "wild": {"straight": 0.25, "wide": 0.25, "free": 0.3, "crossed": 0.2},
}
"""`free`: the weight is on one leg, the other knee is slightly bent. `crossed`: the left leg in front of the right."""

_LEAN_SCALES: dict[Level, float] = {"easy": 0.5, "catalogue": 1.0, "wild": 2.0}
"""Scale of lean, sway and tilts."""

_TURNS: dict[Level, tuple[float, float]] = {"easy": (0.05, 0.1), "catalogue": (0.28, 0.62), "wild": (0.55, 1.0)}
"""Standard deviation and limit of the turn."""


def sample_pose(rng: np.random.Generator, level: Level) -> Pose:
    """Sample a pose: `easy` straight, `catalogue` as in shop photos, `wild` with frequent extremes."""
    legs, weight = _sample_legs(rng, level)
    scale = _LEAN_SCALES[level]
    deviation, limit = _TURNS[level]
    turn = float(np.clip(rng.normal(0, deviation), -limit, limit))
    gaze = float(np.clip(0.6 * turn + rng.normal(0, 0.7 * deviation), -1, 1))
    slant = weight * rng.uniform(1.5, 4.5)  # the hip is higher over the supporting leg
    return Pose(
        lean=rng.normal(0, 0.006 * scale),
        sway=rng.normal(0, 0.004 * scale) + 0.006 * weight,
        shoulder_tilt=rng.normal(0, 1.4 * scale) + 0.5 * slant,
        hip_tilt=rng.normal(0, 1.2 * scale) - slant,
        turn=turn,
        head_tilt=rng.normal(0, 3 * scale),
        arms=_sample_arms(rng, level),
        legs=legs,
        head_turn=gaze,
        front_arm=SIDES[int(rng.integers(2))],
    )


_Option = TypeVar("_Option", bound=str)


def _choose(rng: np.random.Generator, weights: dict[_Option, float]) -> _Option:
    options = list(weights)
    return options[int(rng.choice(len(options), p=list(weights.values())))]


def _sample_arms(rng: np.random.Generator, level: Level) -> tuple[Arm, Arm]:
    both = _choose(rng, _ARM_PAIRS[level])
    if both == "crossed":
        rest = rng.uniform(0.285, 0.325)
        right, left = (Arm("crossed", 0, 0, rng.uniform(0.94, 1.0), rest + rng.uniform(-0.006, 0.006)) for _ in SIDES)
    elif both == "single":
        right, left = (_sample_arm(rng, _choose(rng, _ARMS[level])) for _ in SIDES)
    else:
        right, left = (_sample_arm(rng, "hip" if both == "hips" else "behind") for _ in SIDES)
    return right, left


def _sample_arm(rng: np.random.Generator, kind: ArmKind) -> Arm:
    if kind == "side":
        upper = rng.uniform(6, 17)
        return Arm(kind, upper, upper + rng.uniform(-14, 3))
    if kind == "out":
        upper = rng.uniform(17, 32)
        return Arm(kind, upper, upper + rng.uniform(-28, 2))
    if kind == "bent":
        upper = rng.uniform(8, 24)
        return Arm(kind, upper, upper - rng.uniform(56, 128), rng.uniform(0.7, 0.95))
    if kind == "hip":
        return Arm(kind, 0, 0, rng.uniform(0.95, 1.0), rng.uniform(0.395, 0.44))
    return Arm(kind, rng.uniform(12, 22), rng.uniform(-60, -35), 0.9)


def _sample_legs(rng: np.random.Generator, level: Level) -> tuple[tuple[Leg, Leg], int]:
    """Sample right and left leg, and the side of the supporting leg, 0 for both."""
    stance = _choose(rng, _LEGS[level])
    if stance == "free":
        weight = SIDES[int(rng.integers(2))]
        upper = rng.uniform(4, 9)
        supporting, free = Leg(rng.uniform(-2, 1), rng.uniform(-3, 0)), Leg(upper, upper - rng.uniform(4, 12))
        return ((supporting, free) if weight == RIGHT else (free, supporting)), weight
    if stance == "crossed":
        right, left = (Leg(rng.uniform(-8, -5), rng.uniform(-11, -7)) for _ in SIDES)
        return (right, left), 0
    wide = rng.uniform(7, 13) if stance == "wide" else rng.uniform(0, 4)
    right, left = (wide + rng.normal(0, 1.0) for _ in SIDES)
    return (Leg(right, right + rng.uniform(-4, 1.5)), Leg(left, left + rng.uniform(-4, 1.5))), 0
