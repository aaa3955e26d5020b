"""The geometry of one standing body: joints, outline and limb lines, in body heights.

The origin is above the head, x grows to the right of the picture and y downwards; the crown is at y = 0 and the soles
at y = 1. `h` is the height a point has on the upright body: rows of skin and of cloth are told by it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tryon.dresscode.labels import Joint
from tryon.synthetic.figure.pose import LEFT, MANNEQUIN, RIGHT, SIDES, Pose, Side
from tryon.synthetic.paint.curves import Array, profile, rounded_line, smoothstep

CHIN, NECK, SHOULDER, ARMPIT, BUST, WAIST, HIP, CROTCH, KNEE, ANKLE, SOLE = (
    0.128, 0.168, 0.150, 0.232, 0.262, 0.385, 0.480, 0.532, 0.728, 0.94, 0.985,
)  # fmt: skip
"""Heights on the upright body. `SHOULDER` is where the shoulder line meets the neck; it slopes down from there."""

HIP_JOINT = 0.505
SHOULDER_DROP = 0.024
"""How much lower than at the neck the shoulder line ends."""

_UPPER_ARM, _FOREARM, _HAND = 0.163, 0.138, 0.082
_LINE_SAMPLES = 64


@dataclass(frozen=True)
class Build:
    """Proportions: half-widths in body heights."""

    shoulder: float = 0.093
    bust: float = 0.081
    waist: float = 0.066
    hip: float = 0.091
    arm: float = 0.0265
    thigh: float = 0.047
    head: float = 0.043


def sample_build(rng: np.random.Generator) -> Build:
    """Draw proportions: one draw makes the whole figure slimmer or stouter, others vary its parts."""
    stout = rng.normal(1.0, 0.07)
    vary = np.clip(rng.normal(1.0, 0.035, 7), 0.92, 1.08)
    mean = Build()
    return Build(
        shoulder=mean.shoulder * vary[0] * (0.5 + 0.5 * stout),
        bust=mean.bust * vary[1] * stout,
        waist=mean.waist * vary[2] * stout,
        hip=mean.hip * vary[3] * stout,
        arm=mean.arm * vary[4] * stout,
        thigh=mean.thigh * vary[5] * stout,
        head=mean.head * vary[6],
    )


@dataclass(frozen=True)
class Body:
    """A build in a pose.

    Args:
        build: proportions.
        pose: stance.
    """

    build: Build = field(default_factory=Build)
    pose: Pose = MANNEQUIN

    # -- trunk ---------------------------------------------------------------------------------------------------

    def centre(self, h: Array | float) -> Array:
        """Middle of the body at heights h (N,): (N, 2). Below the hips, half way between the legs."""
        h = np.asarray(h, np.float64)
        lean = self.pose.lean * np.clip((HIP_JOINT - h) / (HIP_JOINT - NECK), 0, 1.4)
        sway = self.pose.sway * profile(h, [(NECK, 0), (WAIST, 1), (CROTCH, 0)])
        legs = (self.leg_point(RIGHT, h)[..., 0] + self.leg_point(LEFT, h)[..., 0]) / 2
        below = smoothstep(h, HIP_JOINT, HIP_JOINT + 0.12)
        return np.stack([lean + sway + below * legs, h], axis=-1)

    def across(self, h: Array | float) -> Array:
        """Unit vector (N, 2) from the wearer's right to the left at heights h (N,); level below the hips."""
        tilt = profile(h, [(NECK, self.pose.shoulder_tilt), (HIP_JOINT, self.pose.hip_tilt), (KNEE, 0.0)])
        angle = np.deg2rad(tilt)
        return np.stack([np.cos(angle), np.sin(angle)], axis=-1)

    def half_width(self, h: Array | float) -> Array:
        """Half-width of the trunk at heights h (N,), without arms; constant from the hips down."""
        b = self.build
        return profile(
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
        """OpenPose-18 joints, (18, 2)."""
        at = np.zeros((len(Joint), 2))
        for side in SIDES:
            for name, point in self._arm_joints(side).items():
                at[Joint[f"{_PREFIX[side]}_{name}"]] = point
            for name, point in self._leg_joints(side).items():
                at[Joint[f"{_PREFIX[side]}_{name}"]] = point
            at[Joint[f"{_PREFIX[side]}_EYE"]] = self.on_head(side * 0.36 + self._gaze, 0.54)
            at[Joint[f"{_PREFIX[side]}_EAR"]] = self.on_head(side * 0.93, 0.58)
        at[Joint.NOSE] = self.on_head(self._gaze * 1.3, 0.71)
        at[Joint.NECK] = (at[Joint.LEFT_SHOULDER] + at[Joint.RIGHT_SHOULDER]) / 2
        return at

    @property
    def _gaze(self) -> float:
        return 0.22 * self.pose.turn

    def on_head(self, x: float, y: float) -> Array:
        """Point of the head: x -1..1 across it, y 0..1 from crown to chin; (2,)."""
        neck = self.centre(NECK)
        angle = np.deg2rad(self.pose.head_tilt)
        right, down = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        return neck + right * x * self.build.head - down * (NECK - CHIN * y)

    def shoulder(self, side: Side) -> Array:
        """Shoulder joint, (2,)."""
        h = 0.192
        return self.centre(h) + self.across(h) * side * (self.build.shoulder + 0.001)

    def _arm_joints(self, side: Side) -> dict[str, Array]:
        arm = self.pose.arms[SIDES.index(side)]
        shoulder = self.shoulder(side)
        elbow = shoulder + _UPPER_ARM * _direction(arm.upper, side)
        if arm.kind == "hip":
            rest = 0.452
            wrist = self.centre(rest) + self.across(rest) * side * (self.half_width(rest) + 0.022)
        else:
            wrist = elbow + _FOREARM * arm.shortening * _direction(arm.lower, side)
        return {"SHOULDER": shoulder, "ELBOW": elbow, "WRIST": wrist}

    @cached_property
    def _arm_lines(self) -> dict[Side, Array]:
        lines = {}
        for side in SIDES:
            arm = self.pose.arms[SIDES.index(side)]
            shoulder, elbow, wrist = self._arm_joints(side).values()
            bend = arm.lower * 0.8 if arm.kind != "hip" else -38.0
            tip = wrist + _HAND * (0.8 if arm.kind == "hip" else 1.0) * _direction(bend, side)
            lines[side] = rounded_line(np.stack([shoulder, elbow, wrist, tip]), (0.05, 0.03), _LINE_SAMPLES)
        return lines

    def arm_line(self, side: Side) -> Array:
        """Middle line of an arm from shoulder to finger tips, (64, 2), equal steps."""
        return self._arm_lines[side]

    def arm_places(self, side: Side) -> tuple[float, float]:
        """Where along the arm line (0..1) elbow and wrist lie."""
        line, joints = self.arm_line(side), self._arm_joints(side)
        steps = np.linspace(0, 1, len(line))
        nearest = [steps[np.argmin(np.hypot(*(line - joints[name]).T))] for name in ("ELBOW", "WRIST")]
        return float(nearest[0]), float(nearest[1])

    def arm_half_width(self, along: Array | float) -> Array:
        """Half-width of an arm at places along its line, 0 shoulder to 1 finger tips; (N,)."""
        shape = [(0, 0.68), (0.13, 1.02), (0.43, 0.76), (0.53, 0.8), (0.78, 0.5), (0.88, 0.64), (0.96, 0.5), (1, 0.3)]
        return self.build.arm * profile(along, shape)

    def _leg_joints(self, side: Side) -> dict[str, Array]:
        leg = self.pose.legs[SIDES.index(side)]
        level = np.deg2rad(self.pose.hip_tilt)
        hip = np.array([0.0, HIP_JOINT]) + np.array([np.cos(level), np.sin(level)]) * side * self.build.hip * 0.52
        knee = hip + (KNEE - HIP_JOINT) * _direction(leg.upper, side)
        ankle = knee + (ANKLE - KNEE) * _direction(leg.lower, side)
        return {"HIP": hip, "KNEE": knee, "ANKLE": ankle}

    @cached_property
    def _leg_lines(self) -> dict[Side, Array]:
        return {
            side: rounded_line(np.stack(list(self._leg_joints(side).values())), (0.06,), _LINE_SAMPLES)
            for side in SIDES
        }

    def leg_point(self, side: Side, h: Array | float) -> Array:
        """Middle of a leg at heights h (N,) of the upright body: (N, 2). Above the hip joint, the line goes on up."""
        h = np.asarray(h, np.float64)
        line = self._leg_lines[side]
        at = np.clip((h - HIP_JOINT) / (ANKLE - HIP_JOINT), -0.3, 1.15) * (len(line) - 1)
        first = np.clip(np.floor(at).astype(int), 0, len(line) - 2)
        rest = (at - first)[..., None]
        return line[first] * (1 - rest) + line[first + 1] * rest

    def leg_half_width(self, h: Array | float) -> Array:
        """Half-width of a leg at heights h (N,)."""
        t = self.build.thigh
        return profile(
            h, [(HIP_JOINT, t), (KNEE, t * 0.64), (0.79, t * 0.68), (ANKLE - 0.015, t * 0.38), (ANKLE + 0.02, t * 0.4)]
        )

    def toe(self, side: Side) -> Array:
        """Tip of the foot, (2,): it points at the viewer and a little outwards."""
        leg = self.pose.legs[SIDES.index(side)]
        return self._leg_joints(side)["ANKLE"] + 0.052 * _direction(16 + leg.lower, side)


_PREFIX: dict[Side, str] = {RIGHT: "RIGHT", LEFT: "LEFT"}


def _direction(angle: float, side: Side) -> Array:
    return np.array([side * np.sin(np.deg2rad(angle)), np.cos(np.deg2rad(angle))])
