"""How a figure stands: angles of trunk, arms and legs, and how they are drawn by chance.

Angles are degrees from straight down, positive away from the middle of the body. Side -1 is the wearer's right, which
is on the left of the image; side +1 is the wearer's left.
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
"""Degrees by which the trunk is turned at `turn` 1."""

_FLATNESS = 0.62
"""Depth of the trunk as part of its width: its section is an ellipse."""

_FAR = 0.35
"""Turn from which an arm that hangs on the far side lies behind the trunk."""


@dataclass(frozen=True)
class Arm:
    """One arm.

    Args:
        kind: hanging at the side, held out, bent in front of the body, hand on the hip, crossed with the other over
            the chest, forearm behind the back.
        upper: angle of the upper arm; unused where the hand rests on the body (`hip`, `crossed`).
        lower: angle of the forearm; unused there too.
        shortening: length of the forearm as seen, as part of its true length (it points at the viewer a little);
            of the whole arm where the hand rests on the body.
        rest: height at which the wrist rests on the body; only of `hip` and `crossed`.
    """

    kind: ArmKind
    upper: float
    lower: float
    shortening: float = 1.0
    rest_height: float = 0.42


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
        turn: -1..1, how far the trunk turns, 1 = `TURN` degrees; positive turns its front to the right of the image.
        head_tilt: angle of the head.
        arms: right, left.
        legs: right, left.
        head_turn: -1..1, where the face looks, like `turn`.
        over: which of two crossed arms lies over the other.
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
        """The stance of the arms in the words of a report's slices."""
        kinds = {arm.kind for arm in self.arms}
        if kinds == {"crossed"}:
            return "crossed"
        if kinds == {"behind"}:
            return "hidden"
        return "bent" if kinds & {"bent", "hip", "crossed"} else "side"

    @property
    def width_factor(self) -> float:
        """Width of the turned trunk as seen, as part of its width from the front: an ellipse seen at an angle."""
        angle = np.deg2rad(MAX_TURN_DEGREES * self.turn)
        return float(np.hypot(np.cos(angle), _FLATNESS * np.sin(angle)))

    @property
    def spacing(self) -> float:
        """Distance, as seen, of what lies side by side on the middle of the trunk, such as the hip joints."""
        return float(np.cos(np.deg2rad(MAX_TURN_DEGREES * self.turn)))

    @property
    def front_shift(self) -> float:
        """Where the middle of the front is seen, -0.5..0.5, in half-widths of the trunk as seen."""
        return float(_FLATNESS * np.sin(np.deg2rad(MAX_TURN_DEGREES * self.turn))) / self.width_factor

    @property
    def occluded_side(self) -> Side | None:
        """The side that is turned away from the viewer; None while it is hardly turned."""
        if abs(self.turn) < _FAR:
            return None
        return LEFT if self.turn > 0 else RIGHT


MANNEQUIN = Pose(
    0, 0, 0, 0, 0, 0, (Arm("out", 25, 20), Arm("out", 25, 20)), (Leg(3.0, 2.5), Leg(3.0, 2.5))
)  # fmt: skip
"""The stance in which garments lie flat: straight, arms and legs a little apart."""

_PAIRS: dict[Level, dict[str, float]] = {
    "easy": {"single": 1.0},
    "catalogue": {"single": 0.9, "hips": 0.05, "crossed": 0.04, "behind": 0.01},
    "wild": {"single": 0.65, "hips": 0.1, "crossed": 0.2, "behind": 0.05},
}
"""How often both arms do the same; `single` draws each arm by itself."""

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
"""`free`: the weight is on one leg, the other knee bends a little. `crossed`: the left leg in front of the right."""

_LEANS: dict[Level, float] = {"easy": 0.5, "catalogue": 1.0, "wild": 2.0}
"""How far lean, sway and tilts stray."""

_TURNS: dict[Level, tuple[float, float]] = {"easy": (0.05, 0.1), "catalogue": (0.28, 0.62), "wild": (0.55, 1.0)}
"""Deviation and limit of the turn."""


def sample_pose(rng: np.random.Generator, level: Level) -> Pose:
    """Draw a stance: `easy` straight, `catalogue` as in a shop's photographs, `wild` everything often."""
    legs, weight = _sample_legs(rng, level)
    stray = _LEANS[level]
    deviation, most = _TURNS[level]
    turn = float(np.clip(rng.normal(0, deviation), -most, most))
    gaze = float(np.clip(0.6 * turn + rng.normal(0, 0.7 * deviation), -1, 1))
    slant = weight * rng.uniform(1.5, 4.5)  # the hip over the leg that carries is the higher one
    return Pose(
        lean=rng.normal(0, 0.006 * stray),
        sway=rng.normal(0, 0.004 * stray) + 0.006 * weight,
        shoulder_tilt=rng.normal(0, 1.4 * stray) + 0.5 * slant,
        hip_tilt=rng.normal(0, 1.2 * stray) - slant,
        turn=turn,
        head_tilt=rng.normal(0, 3 * stray),
        arms=_sample_arms(rng, level),
        legs=legs,
        head_turn=gaze,
        front_arm=SIDES[int(rng.integers(2))],
    )


_Word = TypeVar("_Word", bound=str)


def _pick(rng: np.random.Generator, weights: dict[_Word, float]) -> _Word:
    words = list(weights)
    return words[int(rng.choice(len(words), p=list(weights.values())))]


def _sample_arms(rng: np.random.Generator, level: Level) -> tuple[Arm, Arm]:
    both = _pick(rng, _PAIRS[level])
    if both == "crossed":
        rest = rng.uniform(0.285, 0.325)
        right, left = (Arm("crossed", 0, 0, rng.uniform(0.94, 1.0), rest + rng.uniform(-0.006, 0.006)) for _ in SIDES)
    elif both == "single":
        right, left = (_sample_arm(rng, _pick(rng, _ARMS[level])) for _ in SIDES)
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
    """Right and left leg, and the side of the one that carries the weight, 0 when both do."""
    stance = _pick(rng, _LEGS[level])
    if stance == "free":
        weight = SIDES[int(rng.integers(2))]
        upper = rng.uniform(4, 9)
        carrying, free = Leg(rng.uniform(-2, 1), rng.uniform(-3, 0)), Leg(upper, upper - rng.uniform(4, 12))
        return ((carrying, free) if weight == RIGHT else (free, carrying)), weight
    if stance == "crossed":
        right, left = (Leg(rng.uniform(-8, -5), rng.uniform(-11, -7)) for _ in SIDES)
        return (right, left), 0
    wide = rng.uniform(7, 13) if stance == "wide" else rng.uniform(0, 4)
    right, left = (wide + rng.normal(0, 1.0) for _ in SIDES)
    return (Leg(right, right + rng.uniform(-4, 1.5)), Leg(left, left + rng.uniform(-4, 1.5))), 0
