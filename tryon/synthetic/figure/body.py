"""The geometry of one standing body: joints, outline and limb lines, in body heights.

The origin is above the head, x grows to the right of the image and y downwards; the crown is at y = 0 and the soles
at y = 1. `h` is the height a point has on the upright body: rows of skin and of cloth are told by it.
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
"""Heights on the upright body. `SHOULDER` is where the shoulder line meets the neck; it slopes down from there."""

HIP_JOINT = 0.505
SHOULDER_DROP = 0.024
"""How much lower than at the neck the shoulder line ends."""

UPPER_ARM, FOREARM, HAND = 0.163, 0.138, 0.082
"""Lengths of the arm's parts."""

_CROSSING = 0.03
"""How far beyond the middle the wrist of a crossed arm lies."""

_CAP = 0.68
"""Half-width of the arm at the shoulder, in `Build.arm`."""

_LINE_SAMPLES = 64
_LEG_BEYOND = (0.3, 0.15)  # how far a leg's line goes on beyond hip and ankle, as parts of its length
_LEG_HEIGHTS = HIP_JOINT + (ANKLE - HIP_JOINT) * np.concatenate(
    [[-_LEG_BEYOND[0]], cached_linspace(0, 1, _LINE_SAMPLES), [1 + _LEG_BEYOND[1]]]
)


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


_MEN = Build(shoulder=0.104, bust=0.086, waist=0.073, hip=0.083, arm=0.0285, thigh=0.046, head=0.044)
_MEN_SHARE = 0.2
_LARGE: dict[Level, float] = {"easy": 0.05, "catalogue": 0.08, "wild": 0.25}
"""Share of plus-size builds."""


def sample_build(rng: np.random.Generator, level: Level = "catalogue") -> Build:
    """Draw proportions: one draw makes the whole figure slimmer or stouter, others its parts, some are men's.

    Stoutness goes most into the waist and least into shoulders and bones.
    """
    stout = float(np.clip(rng.normal(1.0, 0.075), 0.86, 1.15))
    if rng.random() < _LARGE[level]:
        stout = rng.uniform(1.15, 1.36)
    vary = np.clip(rng.normal(1.0, 0.035, 7), 0.92, 1.08)
    frame = _MEN if rng.random() < _MEN_SHARE else Build()
    return Build(
        shoulder=frame.shoulder * vary[0] * (0.62 + 0.38 * stout),
        bust=frame.bust * vary[1] * stout,
        waist=frame.waist * vary[2] * stout**1.35,
        hip=frame.hip * vary[3] * stout,
        arm=frame.arm * vary[4] * stout**0.7,
        thigh=frame.thigh * vary[5] * stout,
        head=frame.head * vary[6],
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

    def center(self, h: Array | float) -> Array:
        """Middle of the body at heights h (N,): (N, 2). Below the hips, half way between the legs."""
        h = np.asarray(h, np.float64)
        lean = self.pose.lean * np.minimum(np.maximum((HIP_JOINT - h) / (HIP_JOINT - NECK), 0), 1.4)
        sway = self.pose.sway * profile(h, [(NECK, 0), (WAIST, 1), (CROTCH, 0)])
        legs = np.interp(h, _LEG_HEIGHTS, self._between_legs)
        below = smoothstep(h, HIP_JOINT, HIP_JOINT + 0.12)
        return stack_xy(lean + sway + below * legs, h)

    def across(self, h: Array | float) -> Array:
        """Unit vector (N, 2) from the wearer's right to the left at heights h (N,); level below the hips."""
        tilt = profile(h, [(NECK, self.pose.shoulder_tilt), (HIP_JOINT, self.pose.hip_tilt), (KNEE, 0.0)])
        angle = np.deg2rad(tilt)
        return stack_xy(np.cos(angle), np.sin(angle))

    def half_width(self, h: Array | float) -> Array:
        """Half-width of the trunk as seen at heights h (N,), without arms; constant from the hips down."""
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
        """OpenPose-18 joints, (18, 2)."""
        at = np.zeros((len(Joint), 2))
        for side in SIDES:
            for name, point in self.arm_joints(side).items():
                at[Joint[f"{_PREFIX[side]}_{name}"]] = point
            for name, point in self.leg_joints(side).items():
                at[Joint[f"{_PREFIX[side]}_{name}"]] = point
        head = [Joint.NOSE, Joint.RIGHT_EYE, Joint.LEFT_EYE, Joint.RIGHT_EAR, Joint.LEFT_EAR]
        x = np.array([1.3 * self.face_shift, self.face_shift - 0.36, self.face_shift + 0.36, -0.93, 0.93])
        at[head] = self.head_point(x, np.array([0.71, 0.54, 0.54, 0.58, 0.58]))
        at[Joint.NECK] = (at[Joint.LEFT_SHOULDER] + at[Joint.RIGHT_SHOULDER]) / 2
        return at

    @cached_property
    def _neck(self) -> Array:
        return self.center(NECK)

    @property
    def face_shift(self) -> float:
        """How far the turned head shifts its features, in half-widths of the face."""
        return 0.28 * self.pose.head_turn

    def head_point(self, x: Array | float, y: Array | float) -> Array:
        """Points of the head (..., 2): x -1..1 across it, y 0..1 from crown to chin."""
        neck = self._neck
        angle = np.deg2rad(self.pose.head_tilt)
        right, down = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        x, y = np.asarray(x, np.float64)[..., None], np.asarray(y, np.float64)[..., None]
        return neck + right * x * self.build.head - down * (NECK - CHIN * y)

    def shoulder(self, side: Side) -> Array:
        """Shoulder joint, (2,)."""
        h = SHOULDER + SHOULDER_DROP + _CAP * self.build.arm + 0.003  # the arm's top lies just under the shoulder line
        return self.center(h) + self.across(h) * side * (self.build.shoulder * self.pose.width_factor + 0.001)

    def shoulder_line_point(self, side: Side, part: float) -> Array:
        """A point (2,) as far under the shoulder line as the joint is: part 0 at the neck, 1 at the joint."""
        h = SHOULDER + SHOULDER_DROP + _CAP * self.build.arm + 0.003
        along = self.across(h) * side * (self.build.shoulder * self.pose.width_factor + 0.001)
        rise = np.array([0.0, SHOULDER_DROP * (1 - part**1.3)])
        return self.center(h) + along * part - rise

    def arm_joints(self, side: Side) -> dict[str, Array]:
        """SHOULDER, ELBOW and WRIST, (2,) each."""
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
        """The wrist lies on the hip or across the chest; the elbow is where both bones reach."""
        beside = side * (self.half_width(arm.rest_height) + 0.02) if arm.kind == "hip" else -side * _CROSSING
        wrist = self.center(arm.rest_height) + self.across(arm.rest_height) * beside
        upper, lower = UPPER_ARM * arm.shortening, FOREARM * arm.shortening
        way = wrist - shoulder
        distance = float(np.clip(np.hypot(*way), 1e-6, 0.995 * (upper + lower)))
        way = way / np.hypot(*way)
        outwards = np.array([way[1], -way[0]]) * (1 if side * way[1] > 0 else -1)
        along = (upper**2 - lower**2 + distance**2) / (2 * distance)
        elbow = shoulder + way * along + outwards * np.sqrt(max(upper**2 - along**2, 0.0))
        return {"SHOULDER": shoulder, "ELBOW": elbow, "WRIST": shoulder + way * distance}

    def hand_direction(self, side: Side) -> Array:
        """Unit vector (2,) from the wrist to the finger tips."""
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
        """Reach of the elbow's rounding: less in a sharp bend, so that the joint stays well inside the arm."""
        upper, lower = (point - elbow for point in (shoulder, wrist))
        straight = upper @ lower / (np.hypot(*upper) * np.hypot(*lower))
        return min(0.05, 0.8 * self.build.arm / float(np.sqrt(max((1 + straight) / 2, 1e-6))))

    def arm_line(self, side: Side) -> Array:
        """Middle line of an arm from shoulder to finger tips, (64, 2), equal steps."""
        return self._arm_lines[side]

    @cached_property
    def _arm_normals(self) -> dict[Side, Array]:
        return {side: normals(line) for side, line in self._arm_lines.items()}

    def arm_normals(self, side: Side) -> Array:
        """Unit vectors (64, 2) across the arm's line."""
        return self._arm_normals[side]

    def elbow_and_wrist(self, side: Side) -> tuple[float, float]:
        """Where along the arm line (0..1) elbow and wrist lie."""
        line, joints = self.arm_line(side), self.arm_joints(side)
        steps = cached_linspace(0, 1, len(line))
        nearest = [steps[np.argmin(np.hypot(*(line - joints[name]).T))] for name in ("ELBOW", "WRIST")]
        return float(nearest[0]), float(nearest[1])

    def arm_half_width(self, along: Array | float) -> Array:
        """Half-width of an arm at places along its line, 0 shoulder to 1 finger tips; (N,)."""
        shape = [(0, _CAP), (0.13, 1.02), (0.43, 0.76), (0.53, 0.8), (0.78, 0.5), (0.88, 0.64), (0.96, 0.5), (1, 0.3)]
        return self.build.arm * profile(along, shape)

    @property
    def _hip_joint(self) -> float:
        """Distance of a hip joint from the middle, as seen."""
        return self.build.hip * 0.52 * self.pose.spacing

    def leg_joints(self, side: Side) -> dict[str, Array]:
        """HIP, KNEE and ANKLE, (2,) each."""
        leg = self.pose.legs[SIDES.index(side)]
        level = np.deg2rad(self.pose.hip_tilt)
        hip = np.array([0.0, HIP_JOINT]) + np.array([np.cos(level), np.sin(level)]) * side * self._hip_joint
        knee = hip + (KNEE - HIP_JOINT) * _direction(leg.upper, side)
        ankle = knee + (ANKLE - KNEE) * _direction(leg.lower, side)
        return {"HIP": hip, "KNEE": knee, "ANKLE": ankle}

    @cached_property
    def _leg_lines(self) -> dict[Side, Array]:
        """x and y, (2, 66), at `_LEG_HEIGHTS`: the lines from hip to ankle, drawn out straight beyond both."""
        lines = {}
        for side in SIDES:
            line = round_corners(np.stack(list(self.leg_joints(side).values())), (0.06,), _LINE_SAMPLES)
            above = line[:1] + (line[0] - line[1]) * (_LEG_BEYOND[0] * (_LINE_SAMPLES - 1))
            below = line[-1:] + (line[-1] - line[-2]) * (_LEG_BEYOND[1] * (_LINE_SAMPLES - 1))
            lines[side] = np.concatenate([above, line, below]).T.copy()
        return lines

    @cached_property
    def _between_legs(self) -> Array:
        """x half way between the legs, (66,), at `_LEG_HEIGHTS`."""
        return (self._leg_lines[RIGHT][0] + self._leg_lines[LEFT][0]) / 2

    def leg_point(self, side: Side, h: Array | float) -> Array:
        """Middle of a leg at heights h (N,) of the upright body: (N, 2). Above the hip joint, the line goes on up."""
        x, y = self._leg_lines[side]
        return stack_xy(np.interp(h, _LEG_HEIGHTS, x), np.interp(h, _LEG_HEIGHTS, y))

    def leg_half_width(self, h: Array | float) -> Array:
        """Half-width of a leg at heights h (N,)."""
        t = self.build.thigh
        return profile(
            h, [(HIP_JOINT, t), (KNEE, t * 0.64), (0.79, t * 0.68), (ANKLE - 0.015, t * 0.38), (ANKLE + 0.02, t * 0.4)]
        )

    def toe_point(self, side: Side) -> Array:
        """Tip of the foot, (2,): it points at the viewer and a little outwards."""
        leg = self.pose.legs[SIDES.index(side)]
        return self.leg_joints(side)["ANKLE"] + 0.052 * _direction(14 + leg.lower + 20 * side * self.pose.turn, side)


_PREFIX: dict[Side, str] = {RIGHT: "RIGHT", LEFT: "LEFT"}


def _direction(angle: float, side: Side) -> Array:
    return np.array([side * np.sin(np.deg2rad(angle)), np.cos(np.deg2rad(angle))])
