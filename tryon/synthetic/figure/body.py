"""Compute the geometry of a standing body: joints, outline and limb lines, in body heights.

x grows to the right of the image and y downwards, from the crown at y = 0 to the soles at y = 1. `h` is the height of a
point on the upright body; it indexes rows of skin and cloth.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tryon.categories import Level
from tryon.dresscode.labels import Joint
from tryon.synthetic.figure.pose import LEFT, MANNEQUIN, RIGHT, SIDES, Arm, Pose, Side
from tryon.synthetic.paint.curves import Array, cached_linspace, normals, profile, round_corners, smoothstep, stack_xy

CHIN, NECK, SHOULDER, ARMPIT, BUST, WAIST, HIP, CROTCH, KNEE, ANKLE, SOLE = (
    0.128, 0.168, 0.150, 0.232, 0.262, 0.385, 0.480, 0.532, 0.728, 0.94, 0.985,
)  # fmt: skip
"""Heights on the upright body. `SHOULDER` is where the shoulder line meets the neck."""

HIP_JOINT = 0.505
SHOULDER_DROP = 0.024
"""Drop of the shoulder line from the neck to its end."""

UPPER_ARM, FOREARM, HAND = 0.163, 0.138, 0.082
"""Lengths of the segments of an arm."""

_CROSSING = 0.03
"""Distance of the wrist of a crossed arm beyond the center line."""

_CAP = 0.68
"""Half-width of the arm at the shoulder relative to `Build.arm`."""

_LINE_SAMPLES = 64
_LEG_EXTENSION = (0.3, 0.15)  # extension of a leg's line beyond hip and ankle, relative to its length
_LEG_HEIGHTS = HIP_JOINT + (ANKLE - HIP_JOINT) * np.concatenate(
    [[-_LEG_EXTENSION[0]], cached_linspace(0, 1, _LINE_SAMPLES), [1 + _LEG_EXTENSION[1]]]
)


@dataclass(frozen=True)
class Build:
    """Body proportions: half-widths in body heights."""

    shoulder: float = 0.093
    bust: float = 0.081
    waist: float = 0.066
    hip: float = 0.091
    arm: float = 0.0265
    thigh: float = 0.047
    head: float = 0.043


_MALE_BUILD = Build(shoulder=0.104, bust=0.086, waist=0.073, hip=0.083, arm=0.0285, thigh=0.046, head=0.044)
_MALE_FRACTION = 0.2
_PLUS_SIZE_FRACTION: dict[Level, float] = {"easy": 0.05, "catalogue": 0.08, "wild": 0.25}
"""Fraction of plus-size builds."""


def sample_build(rng: np.random.Generator, level: Level = "catalogue") -> Build:
    """Sample body proportions.

    One factor scales the body, most at the waist and least at shoulders and bones; others vary its parts.
    """
    weight = float(np.clip(rng.normal(1.0, 0.075), 0.86, 1.15))
    if rng.random() < _PLUS_SIZE_FRACTION[level]:
        weight = rng.uniform(1.15, 1.36)
    variation = np.clip(rng.normal(1.0, 0.035, 7), 0.92, 1.08)
    base = _MALE_BUILD if rng.random() < _MALE_FRACTION else Build()
    return Build(
        shoulder=base.shoulder * variation[0] * (0.62 + 0.38 * weight),
        bust=base.bust * variation[1] * weight,
        waist=base.waist * variation[2] * weight**1.35,
        hip=base.hip * variation[3] * weight,
        arm=base.arm * variation[4] * weight**0.7,
        thigh=base.thigh * variation[5] * weight,
        head=base.head * variation[6],
    )


@dataclass(frozen=True)
class Body:
    """A build in a pose."""

    build: Build = field(default_factory=Build)
    pose: Pose = MANNEQUIN

    # -- trunk ---------------------------------------------------------------------------------------------------

    def center(self, h: Array | float) -> Array:
        """Return the center (N, 2) of the body at heights h (N,); below the hips, half-way between the legs."""
        h = np.asarray(h, np.float64)
        lean = self.pose.lean * np.minimum(np.maximum((HIP_JOINT - h) / (HIP_JOINT - NECK), 0), 1.4)
        sway = self.pose.sway * profile(h, [(NECK, 0), (WAIST, 1), (CROTCH, 0)])
        legs = np.interp(h, _LEG_HEIGHTS, self._between_legs)
        below = smoothstep(h, HIP_JOINT, HIP_JOINT + 0.12)
        return stack_xy(lean + sway + below * legs, h)

    def across(self, h: Array | float) -> Array:
        """Return unit vectors (N, 2) from the wearer's right to left at heights h (N,)."""
        tilt = profile(h, [(NECK, self.pose.shoulder_tilt), (HIP_JOINT, self.pose.hip_tilt), (KNEE, 0.0)])
        angle = np.deg2rad(tilt)
        return stack_xy(np.cos(angle), np.sin(angle))

    def half_width(self, h: Array | float) -> Array:
        """Return the visible half-width of the trunk without arms at heights h (N,)."""
        b = self.build
        return self.pose.width_factor * profile(
            h,
            [
                (SHOULDER, b.shoulder),
                (0.185, b.shoulder * 0.97),
                (0.212, b.shoulder * 0.93),
                (ARMPIT + 0.006, b.bust * 0.98),
                (BUST, b.bust),
                (WAIST, b.waist),
                (HIP, b.hip),
                (CROTCH, b.hip * 0.97),
            ],
        )

    # -- limbs ---------------------------------------------------------------------------------------------------

    @cached_property
    def joints(self) -> Array:
        """Return the 18 OpenPose joints, (18, 2)."""
        points = np.zeros((len(Joint), 2))
        for side in SIDES:
            for name, point in self.arm_joints(side).items():
                points[Joint[f"{_PREFIX[side]}_{name}"]] = point
            for name, point in self.leg_joints(side).items():
                points[Joint[f"{_PREFIX[side]}_{name}"]] = point
        head = [Joint.NOSE, Joint.RIGHT_EYE, Joint.LEFT_EYE, Joint.RIGHT_EAR, Joint.LEFT_EAR]
        x = np.array([1.3 * self.face_shift, self.face_shift - 0.36, self.face_shift + 0.36, -0.93, 0.93])
        points[head] = self.head_point(x, np.array([0.71, 0.54, 0.54, 0.58, 0.58]))
        points[Joint.NECK] = (points[Joint.LEFT_SHOULDER] + points[Joint.RIGHT_SHOULDER]) / 2
        return points

    @cached_property
    def _neck(self) -> Array:
        return self.center(NECK)

    @property
    def face_shift(self) -> float:
        """Return the shift of the features of a turned head, in half-widths of the face."""
        return 0.28 * self.pose.head_turn

    def head_point(self, x: Array | float, y: Array | float) -> Array:
        """Return points (..., 2) of the head: x -1..1 across, y 0 (crown) to 1 (chin)."""
        neck = self._neck
        angle = np.deg2rad(self.pose.head_tilt)
        right, down = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        x, y = np.asarray(x, np.float64)[..., None], np.asarray(y, np.float64)[..., None]
        return neck + right * x * self.build.head - down * (NECK - CHIN * y)

    def shoulder(self, side: Side) -> Array:
        """Return the shoulder joint, (2,)."""
        h = SHOULDER + SHOULDER_DROP + _CAP * self.build.arm + 0.003  # just below the shoulder line
        return self.center(h) + self.across(h) * side * (self.build.shoulder * self.pose.width_factor + 0.001)

    def shoulder_line_point(self, side: Side, fraction: float) -> Array:
        """Return a point (2,) at a fraction of the way from the neck (0) to the shoulder joint (1)."""
        h = SHOULDER + SHOULDER_DROP + _CAP * self.build.arm + 0.003
        along = self.across(h) * side * (self.build.shoulder * self.pose.width_factor + 0.001)
        rise = np.array([0.0, SHOULDER_DROP * (1 - fraction**1.3)])
        return self.center(h) + along * fraction - rise

    def arm_joints(self, side: Side) -> dict[str, Array]:
        """Return SHOULDER, ELBOW and WRIST, (2,) each."""
        return self._arm_joints[side]

    @cached_property
    def _arm_joints(self) -> dict[Side, dict[str, Array]]:
        return {side: self._bent_arm(side) for side in SIDES}

    def _bent_arm(self, side: Side) -> dict[str, Array]:
        arm = self.pose.arms[SIDES.index(side)]
        shoulder = self.shoulder(side)
        if arm.kind in ("hip", "crossed"):
            return self._resting_arm(side, arm, shoulder)
        elbow = shoulder + UPPER_ARM * _direction(arm.upper, side)
        wrist = elbow + FOREARM * arm.shortening * _direction(arm.lower, side)
        return {"SHOULDER": shoulder, "ELBOW": elbow, "WRIST": wrist}

    def _resting_arm(self, side: Side, arm: Arm, shoulder: Array) -> dict[str, Array]:
        """Place the wrist on hip or chest and solve for the elbow by two-bone inverse kinematics."""
        offset = side * (self.half_width(arm.rest_height) + 0.02) if arm.kind == "hip" else -side * _CROSSING
        wrist = self.center(arm.rest_height) + self.across(arm.rest_height) * offset
        upper, lower = UPPER_ARM * arm.shortening, FOREARM * arm.shortening
        direction = wrist - shoulder
        distance = float(np.clip(np.hypot(*direction), 1e-6, 0.995 * (upper + lower)))
        direction = direction / np.hypot(*direction)
        outwards = np.array([direction[1], -direction[0]]) * (1 if side * direction[1] > 0 else -1)
        along = (upper**2 - lower**2 + distance**2) / (2 * distance)
        elbow = shoulder + direction * along + outwards * np.sqrt(max(upper**2 - along**2, 0.0))
        return {"SHOULDER": shoulder, "ELBOW": elbow, "WRIST": shoulder + direction * distance}

    def hand_direction(self, side: Side) -> Array:
        """Return the unit vector (2,) from wrist to finger tips."""
        arm = self.pose.arms[SIDES.index(side)]
        if arm.kind == "hip":
            return _direction(-42.0, side)
        if arm.kind == "crossed":
            joints = self.arm_joints(side)
            forearm = joints["WRIST"] - joints["ELBOW"]
            return forearm / np.hypot(*forearm)
        return _direction(arm.lower * 0.8, side)

    @cached_property
    def _arm_lines(self) -> dict[Side, Array]:
        lines = {}
        for side in SIDES:
            corners = list(self.arm_joints(side).values())
            resting = self.pose.arms[SIDES.index(side)].kind == "hip"
            tip = corners[-1] + HAND * (0.8 if resting else 1.0) * self.hand_direction(side)
            lines[side] = round_corners(np.stack([*corners, tip]), (self._elbow_radius(*corners), 0.03), _LINE_SAMPLES)
        return lines

    def _elbow_radius(self, shoulder: Array, elbow: Array, wrist: Array) -> float:
        """Return the radius of the elbow's rounding, smaller in a sharp bend to keep the joint inside the arm."""
        upper, lower = (point - elbow for point in (shoulder, wrist))
        straight = upper @ lower / (np.hypot(*upper) * np.hypot(*lower))
        return min(0.05, 0.8 * self.build.arm / float(np.sqrt(max((1 + straight) / 2, 1e-6))))

    def arm_line(self, side: Side) -> Array:
        """Return the center line (64, 2) of an arm from shoulder to finger tips, evenly spaced."""
        return self._arm_lines[side]

    @cached_property
    def _arm_normals(self) -> dict[Side, Array]:
        return {side: normals(line) for side, line in self._arm_lines.items()}

    def arm_normals(self, side: Side) -> Array:
        """Return unit vectors (64, 2) across the arm's line."""
        return self._arm_normals[side]

    def elbow_and_wrist(self, side: Side) -> tuple[float, float]:
        """Return the positions (0..1) of elbow and wrist along the arm line."""
        line, joints = self.arm_line(side), self.arm_joints(side)
        steps = cached_linspace(0, 1, len(line))
        nearest = [steps[np.argmin(np.hypot(*(line - joints[name]).T))] for name in ("ELBOW", "WRIST")]
        return float(nearest[0]), float(nearest[1])

    def arm_half_width(self, along: Array | float) -> Array:
        """Return the half-width (N,) of an arm at positions along its line, 0 shoulder to 1 finger tips."""
        shape = [(0, _CAP), (0.13, 1.02), (0.43, 0.76), (0.53, 0.8), (0.78, 0.5), (0.88, 0.64), (0.96, 0.5), (1, 0.3)]
        return self.build.arm * profile(along, shape)

    @property
    def _hip_joint(self) -> float:
        """Return the visible distance of a hip joint from the center."""
        return self.build.hip * 0.52 * self.pose.spacing

    def leg_joints(self, side: Side) -> dict[str, Array]:
        """Return HIP, KNEE and ANKLE, (2,) each."""
        leg = self.pose.legs[SIDES.index(side)]
        level = np.deg2rad(self.pose.hip_tilt)
        hip = np.array([0.0, HIP_JOINT]) + np.array([np.cos(level), np.sin(level)]) * side * self._hip_joint
        knee = hip + (KNEE - HIP_JOINT) * _direction(leg.upper, side)
        ankle = knee + (ANKLE - KNEE) * _direction(leg.lower, side)
        return {"HIP": hip, "KNEE": knee, "ANKLE": ankle}

    @cached_property
    def _leg_lines(self) -> dict[Side, Array]:
        """Return x and y (2, 66) at `_LEG_HEIGHTS` of the leg lines, extended straight beyond hip and ankle."""
        lines = {}
        for side in SIDES:
            line = round_corners(np.stack(list(self.leg_joints(side).values())), (0.06,), _LINE_SAMPLES)
            above = line[:1] + (line[0] - line[1]) * (_LEG_EXTENSION[0] * (_LINE_SAMPLES - 1))
            below = line[-1:] + (line[-1] - line[-2]) * (_LEG_EXTENSION[1] * (_LINE_SAMPLES - 1))
            lines[side] = np.concatenate([above, line, below]).T.copy()
        return lines

    @cached_property
    def _between_legs(self) -> Array:
        """Return x (66,) half-way between the legs at `_LEG_HEIGHTS`."""
        return (self._leg_lines[RIGHT][0] + self._leg_lines[LEFT][0]) / 2

    def leg_point(self, side: Side, h: Array | float) -> Array:
        """Return the center (N, 2) of a leg at heights h (N,), extended above the hip joint."""
        x, y = self._leg_lines[side]
        return stack_xy(np.interp(h, _LEG_HEIGHTS, x), np.interp(h, _LEG_HEIGHTS, y))

    def leg_half_width(self, h: Array | float) -> Array:
        """Return the half-width (N,) of a leg at heights h (N,)."""
        t = self.build.thigh
        return profile(
            h, [(HIP_JOINT, t), (KNEE, t * 0.64), (0.79, t * 0.68), (ANKLE - 0.015, t * 0.38), (ANKLE + 0.02, t * 0.4)]
        )

    def toe_point(self, side: Side) -> Array:
        """Return the tip of the foot (2,), which points at the viewer and slightly outwards."""
        leg = self.pose.legs[SIDES.index(side)]
        return self.leg_joints(side)["ANKLE"] + 0.052 * _direction(14 + leg.lower + 20 * side * self.pose.turn, side)


_PREFIX: dict[Side, str] = {RIGHT: "RIGHT", LEFT: "LEFT"}


def _direction(angle: float, side: Side) -> Array:
    return np.array([side * np.sin(np.deg2rad(angle)), np.cos(np.deg2rad(angle))])
