"""The body that the key points tell: its size, and the joints of trunk and legs with the missing ones filled in.

Points are complex numbers, x + yi in pixels, NaN when unknown: eighteen of them are too few for arrays to be fast.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.agnostic.masks.regions import label_set, labels_in
from tryon.dresscode.labels import MIN_SCORE, DensePart, Joint

UNKNOWN = complex(math.nan, math.nan)

_SIZES = (
    (Joint.RIGHT_SHOULDER, Joint.LEFT_SHOULDER, 1.0),
    (Joint.NECK, Joint.RIGHT_HIP, 0.7),
    (Joint.NECK, Joint.LEFT_HIP, 0.7),
    (Joint.RIGHT_HIP, Joint.RIGHT_KNEE, 0.85),
    (Joint.LEFT_HIP, Joint.LEFT_KNEE, 0.85),
    (Joint.RIGHT_KNEE, Joint.RIGHT_ANKLE, 0.9),
    (Joint.LEFT_KNEE, Joint.LEFT_ANKLE, 0.9),
    (Joint.RIGHT_SHOULDER, Joint.RIGHT_ELBOW, 1.2),
    (Joint.LEFT_SHOULDER, Joint.LEFT_ELBOW, 1.2),
)
"""Distances between joints, and how many shoulder widths one of each is on an adult."""

_FORESHORTENED = 0.7
"""Quantile over the estimates: turning and bending only shorten distances, so the upper ones are nearer the truth."""

_HIP_CHARTS = label_set([
    DensePart.TORSO_BACK, DensePart.TORSO_FRONT, DensePart.RIGHT_UPPER_LEG_BACK, DensePart.LEFT_UPPER_LEG_BACK,
    DensePart.RIGHT_UPPER_LEG_FRONT, DensePart.LEFT_UPPER_LEG_FRONT,
])  # fmt: skip
_FILLED = [
    Joint.NECK, Joint.RIGHT_SHOULDER, Joint.LEFT_SHOULDER, Joint.RIGHT_HIP, Joint.LEFT_HIP, Joint.RIGHT_KNEE,
    Joint.LEFT_KNEE, Joint.RIGHT_ANKLE, Joint.LEFT_ANKLE,
]  # fmt: skip
_HEAD = (Joint.NOSE, Joint.RIGHT_EYE, Joint.LEFT_EYE, Joint.RIGHT_EAR, Joint.LEFT_EAR)
_NECK, _TRUNK, _HIPS, _THIGH, _SHIN = 0.7, 1.4, 0.55, 1.15, 1.1
"""Lengths for joints that must be guessed, in shoulder widths: of neck with face, spine, hips, thigh, shin."""


_LIMBS = range(Joint.NECK, Joint.LEFT_ANKLE + 1)
"""Joints of trunk and limbs. Those of the head lie close to each other: a head is small, and often cropped."""

_ONE_POINT = 0.01
"""Joints so near to each other, in heights, are on one point."""

_CROWD = 3
"""So many joints on one point, of trunk or limbs all but one, are no joints but what a detector writes for lack of any.
Two may be: hands are folded, a hip hides the other."""

_BEYOND = 0.5
"""A joint farther than this outside the image, in heights, is no joint."""

HIP_WIDTH = 0.48
"""Half-width of the hips in shoulder widths, where DensePose does not tell it."""

_HIP_BAND = 0.12
"""Rows around the hip joints in which the width of the hips is looked for, in shoulder widths to either side."""

_HIP_ROWS = 0.3
"""Share of these rows in which a column must be hip: specks are not, and what a hand hides in some rows is."""

_SLIMMEST, _STOUTEST = 0.36, 0.75
"""Half-widths of hips, in shoulder widths, beyond which DensePose is not believed."""


@dataclass(frozen=True)
class Body:
    """Joints in pixels and the unit that all lengths are multiples of.

    Args:
        joints: 18 points; `UNKNOWN` where unknown. Trunk and legs are filled in from what is seen, also beyond the
            frame; head and arms are not.
        detected: joints that the detector gave and that can be joints.
        unit: the width of the shoulders, from joint to joint, as it would be from the front, in pixels.
    """

    joints: Sequence[complex]
    detected: Sequence[bool]
    unit: float

    def at(self, *joints: Joint) -> list[complex]:
        """Some joints' points."""
        return [self.joints[joint] for joint in joints]

    def midpoint(self, right: Joint, left: Joint) -> complex:
        """Half-way between two joints."""
        return (self.joints[right] + self.joints[left]) / 2

    def reduced(self, step: int) -> Body:
        """The body in a image in which one pixel stands for `step` each way."""
        return Body([joint / step for joint in self.joints], self.detected, self.unit / step)

    @cached_property
    def down(self) -> complex:
        """Direction of the spine from neck to hips, length 1; straight down when unknown."""
        spine = self.midpoint(Joint.RIGHT_HIP, Joint.LEFT_HIP) - self.joints[Joint.NECK]
        return spine / abs(spine) if cmath.isfinite(spine) and spine else 1j


def body_from_keypoints(keypoints: NDArray[np.floating], height: int, width: int | None = None) -> Body:
    """Read key points and fill in trunk and legs.

    Args:
        keypoints: float (18, 3): x, y in pixels, score.
        height: of their image.
        width: of their image; None for one that is as wide as high.
    """
    rows = keypoints.tolist()
    seen = _plausible_joints(rows, height, width or height)
    joints = [complex(x, y) if known else UNKNOWN for (x, y, _), known in zip(rows, seen, strict=True)]
    unit = _unit(joints, height)
    if not all(seen[joint] for joint in _FILLED):
        _fill_trunk(joints, unit)
        _fill_legs(joints, unit)
    return Body(joints, seen, unit)


def hip_half_width(dense_pose: NDArray[np.uint8] | None, body: Body) -> float:
    """Half-width of the hips as seen, pixels: by DensePose's torso and thighs, or else by the width of the shoulders.

    Shoulders alone are a third off on slim, stout and turned bodies.

    Args:
        dense_pose: uint8 (H, W), DensePose ids, or None.
        body: the joints.
    """
    middle = body.midpoint(Joint.RIGHT_HIP, Joint.LEFT_HIP).imag
    least, most = _SLIMMEST * body.unit, _STOUTEST * body.unit
    if dense_pose is None or not math.isfinite(middle):
        return HIP_WIDTH * body.unit
    first, end = (min(max(round(middle + side * _HIP_BAND * body.unit), 0), len(dense_pose)) for side in (-1, 1))
    if first == end:
        return HIP_WIDTH * body.unit
    band = labels_in(dense_pose[first:end], _HIP_CHARTS)
    counts = cast("NDArray[np.int32]", cv2.reduce(band, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S))
    columns = np.flatnonzero(counts > _HIP_ROWS * len(band))
    if not len(columns):
        return HIP_WIDTH * body.unit
    return min(max(float(columns[-1] - columns[0] + 1) / 2, least), most)


def _plausible_joints(rows: Sequence[Sequence[float]], height: int, width: int) -> list[bool]:
    """Which key points are joints: scored, finite, in the image or not far from it, not many on one point.

    The very corner, (0, 0), is no joint either: detectors write it for lack of one. A cropped head has only y = 0.
    """
    far, near = _BEYOND * height, _ONE_POINT * height
    seen = [
        score > MIN_SCORE
        and math.isfinite(score)
        and -far <= x <= width + far
        and -far <= y <= height + far
        and (x, y) != (0, 0)
        for x, y, score in rows
    ]
    others = _count_neighbors(rows, seen, near)
    return [known and count + 1 < _CROWD for known, count in zip(seen, others, strict=True)]


def _count_neighbors(rows: Sequence[Sequence[float]], seen: Sequence[bool], near: float) -> list[int]:
    """How many joints that are seen lie within `near` of each; those of the head do not count for each other."""
    counts = [0] * len(rows)
    from_left = sorted((x, y, joint) for joint, (x, y, _) in enumerate(rows) if seen[joint])
    for place, (x, y, joint) in enumerate(from_left, 1):
        for right, low, other in from_left[place:]:
            if right - x > near:
                break
            if math.hypot(right - x, low - y) <= near and (joint in _LIMBS or other in _LIMBS):
                counts[joint] += 1
                counts[other] += 1
    return counts


def _unit(joints: Sequence[complex], height: int) -> float:
    lengths = [abs(joints[end] - joints[start]) * ratio for start, end, ratio in _SIZES]
    known = sorted(length for length in lengths if math.isfinite(length))
    unit = known[round(_FORESHORTENED * (len(known) - 1))] if known else 0.2 * height
    return min(max(unit, 0.04 * height), 0.5 * height)


def _first_known(*candidates: complex) -> complex:
    """The first of some guesses that is known."""
    return next((point for point in candidates if cmath.isfinite(point)), UNKNOWN)


def _fill_trunk(points: list[complex], unit: float) -> None:
    """Neck, shoulders and hips, in place: from their mirror images, or from the other end of the spine or the legs."""
    right, left = Joint.RIGHT_SHOULDER, Joint.LEFT_SHOULDER
    right_hip, left_hip = Joint.RIGHT_HIP, Joint.LEFT_HIP
    across = _across(points) * unit
    down = unit * 1j
    hips = _first_known(
        (points[right_hip] + points[left_hip]) / 2,
        points[right_hip] + _HIPS / 2 * across,
        points[left_hip] - _HIPS / 2 * across,
    )
    neck = _first_known(
        points[Joint.NECK],
        (points[right] + points[left]) / 2,
        points[right] + across / 2,
        points[left] - across / 2,
        hips - _TRUNK * down,
        *(points[joint] + _NECK * down for joint in _HEAD),
    )
    hips = _first_known(hips, _hips_above_legs(points, neck, across, down), neck + _TRUNK * down)
    points[Joint.NECK] = neck = _first_known(neck, hips - _TRUNK * down)
    points[right] = _first_known(points[right], 2 * neck - points[left], neck - across / 2)
    points[left] = _first_known(points[left], 2 * neck - points[right])
    points[right_hip] = _first_known(points[right_hip], points[left_hip] - _HIPS * across, hips - _HIPS / 2 * across)
    points[left_hip] = _first_known(points[left_hip], points[right_hip] + _HIPS * across)


def _hips_above_legs(points: Sequence[complex], neck: complex, across: float, down: complex) -> complex:
    """The middle between hips that are not seen: on the way from the neck to knees or ankles, or straight above."""
    for right, left, length in (
        (Joint.RIGHT_KNEE, Joint.LEFT_KNEE, _THIGH),
        (Joint.RIGHT_ANKLE, Joint.LEFT_ANKLE, _THIGH + _SHIN),
    ):
        middle = _first_known(
            (points[right] + points[left]) / 2,
            points[right] + _HIPS / 2 * across,
            points[left] - _HIPS / 2 * across,
        )
        if cmath.isfinite(middle):
            return _first_known(neck + _TRUNK / (_TRUNK + length) * (middle - neck), middle - length * down)
    return UNKNOWN


def _across(points: Sequence[complex]) -> float:
    """Horizontal direction from the wearer's right to left: 1 seen from the front, -1 from the back."""
    pairs = ((Joint.RIGHT_SHOULDER, Joint.LEFT_SHOULDER), (Joint.RIGHT_HIP, Joint.LEFT_HIP))
    runs = [points[left].real - points[right].real for right, left in pairs]
    return -1.0 if next((run < 0 for run in runs if math.isfinite(run)), False) else 1.0


def _fill_legs(points: list[complex], unit: float) -> None:
    """Knees and ankles, in place: straight down from the hip, and on along the thigh."""
    down = unit * 1j
    for hip, knee, ankle in (
        (Joint.RIGHT_HIP, Joint.RIGHT_KNEE, Joint.RIGHT_ANKLE),
        (Joint.LEFT_HIP, Joint.LEFT_KNEE, Joint.LEFT_ANKLE),
    ):
        points[knee] = _first_known(points[knee], (points[hip] + points[ankle]) / 2, points[hip] + _THIGH * down)
        thigh = points[knee] - points[hip]
        along = thigh / abs(thigh) * unit if abs(thigh) > 0 else down
        points[ankle] = _first_known(points[ankle], points[knee] + _SHIN * along, points[knee] + _SHIN * down)
