"""Estimate the body from key points: its size, and joints of trunk and legs with missing ones imputed.

Points are complex numbers, x + yi in pixels, NaN when unknown: arrays are slow for eighteen of them.
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

_LENGTHS = (
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
"""Pairs of joints, and the shoulder width as a multiple of their distance on an adult."""

_UNIT_QUANTILE = 0.7
"""Quantile of the estimates: rotation and bending shorten distances, so the upper estimates are more accurate."""

_HIP_PARTS = label_set([
    DensePart.TORSO_BACK, DensePart.TORSO_FRONT, DensePart.RIGHT_UPPER_LEG_BACK, DensePart.LEFT_UPPER_LEG_BACK,
    DensePart.RIGHT_UPPER_LEG_FRONT, DensePart.LEFT_UPPER_LEG_FRONT,
])  # fmt: skip
_IMPUTED = [
    Joint.NECK, Joint.RIGHT_SHOULDER, Joint.LEFT_SHOULDER, Joint.RIGHT_HIP, Joint.LEFT_HIP, Joint.RIGHT_KNEE,
    Joint.LEFT_KNEE, Joint.RIGHT_ANKLE, Joint.LEFT_ANKLE,
]  # fmt: skip
_HEAD = (Joint.NOSE, Joint.RIGHT_EYE, Joint.LEFT_EYE, Joint.RIGHT_EAR, Joint.LEFT_EAR)
_NECK, _TRUNK, _HIPS, _THIGH, _SHIN = 0.7, 1.4, 0.55, 1.15, 1.1
"""Lengths for imputed joints, in shoulder widths: neck with face, spine, hips, thigh, shin."""

_LIMBS = range(Joint.NECK, Joint.LEFT_ANKLE + 1)
"""Joints of trunk and limbs. Those of the head are close to each other: a head is small, and often cropped."""

_COINCIDENT = 0.01
"""Distance below which joints coincide, in heights."""

_MIN_INVALID = 3
"""Number of coincident joints, at most one of them of the head, that are a detector's placeholder. Two may be real:
folded hands, or one hip in front of the other."""

_MAX_OUTSIDE = 0.5
"""Maximum distance of a joint outside the image, in heights."""

HIP_WIDTH = 0.48
"""Half-width of the hips in shoulder widths, without DensePose."""

_HIP_BAND = 0.12
"""Rows around the hip joints in which the width of the hips is measured, in shoulder widths to either side."""

_HIP_ROWS = 0.3
"""Fraction of these rows in which a column must be hip: this ignores specks and partial occlusion by a hand."""

_MIN_HIPS, _MAX_HIPS = 0.36, 0.75
"""Bounds of the measured half-width of the hips, in shoulder widths."""


@dataclass(frozen=True)
class Body:
    """Joints in pixels, and the unit of all lengths.

    Args:
        joints: 18 points, `UNKNOWN` where unknown. Missing joints of trunk and legs are imputed, also beyond the frame;
            those of head and arms are not.
        detected: whether the detector gave a plausible joint.
        unit: shoulder width from joint to joint in a front view, in pixels.
    """

    joints: Sequence[complex]
    detected: Sequence[bool]
    unit: float

    def at(self, *joints: Joint) -> list[complex]:
        """Return the points of some joints."""
        return [self.joints[joint] for joint in joints]

    def midpoint(self, right: Joint, left: Joint) -> complex:
        """Return the midpoint of two joints."""
        return (self.joints[right] + self.joints[left]) / 2

    def reduced(self, step: int) -> Body:
        """Return the body in an image reduced by `step`."""
        return Body([joint / step for joint in self.joints], self.detected, self.unit / step)

    @cached_property
    def down(self) -> complex:
        """Direction of the spine from neck to hips, length 1; straight down when unknown."""
        spine = self.midpoint(Joint.RIGHT_HIP, Joint.LEFT_HIP) - self.joints[Joint.NECK]
        return spine / abs(spine) if cmath.isfinite(spine) and spine else 1j


def body_from_keypoints(keypoints: NDArray[np.floating], height: int, width: int | None = None) -> Body:
    """Estimate the body from key points, float (18, 3): x, y in pixels, score; a square image without `width`."""
    rows = keypoints.tolist()
    detected = _plausible_joints(rows, height, width or height)
    joints = [complex(x, y) if valid else UNKNOWN for (x, y, _), valid in zip(rows, detected, strict=True)]
    unit = _unit(joints, height)
    if not all(detected[joint] for joint in _IMPUTED):
        _impute_trunk(joints, unit)
        _impute_legs(joints, unit)
    return Body(joints, detected, unit)


def hip_half_width(dense_pose: NDArray[np.uint8] | None, body: Body) -> float:
    """Measure the half-width of the hips in pixels, from DensePose's torso and thighs or else the shoulder width.

    The shoulder width alone is a third off on slim, stout and rotated bodies.
    """
    middle = body.midpoint(Joint.RIGHT_HIP, Joint.LEFT_HIP).imag
    if dense_pose is None or not math.isfinite(middle):
        return HIP_WIDTH * body.unit
    first, end = (min(max(round(middle + side * _HIP_BAND * body.unit), 0), len(dense_pose)) for side in (-1, 1))
    if first == end:
        return HIP_WIDTH * body.unit
    band = labels_in(dense_pose[first:end], _HIP_PARTS)
    counts = cast("NDArray[np.int32]", cv2.reduce(band, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S))
    columns = np.flatnonzero(counts > _HIP_ROWS * len(band))
    if not len(columns):
        return HIP_WIDTH * body.unit
    return min(max(float(columns[-1] - columns[0] + 1) / 2, _MIN_HIPS * body.unit), _MAX_HIPS * body.unit)


def _plausible_joints(rows: Sequence[Sequence[float]], height: int, width: int) -> list[bool]:
    """Return which key points are plausible: scored, finite, in or near the image, and not coincident.

    The corner (0, 0) is a placeholder of detectors too. A cropped head has only y = 0.
    """
    far = _MAX_OUTSIDE * height
    plausible = [
        score > MIN_SCORE
        and math.isfinite(score)
        and -far <= x <= width + far
        and -far <= y <= height + far
        and (x, y) != (0, 0)
        for x, y, score in rows
    ]
    neighbors = _count_neighbors(rows, plausible, _COINCIDENT * height)
    return [valid and count + 1 < _MIN_INVALID for valid, count in zip(plausible, neighbors, strict=True)]


def _count_neighbors(rows: Sequence[Sequence[float]], plausible: Sequence[bool], distance: float) -> list[int]:
    """Count the plausible joints within `distance` of each; joints of the head do not count for each other."""
    counts = [0] * len(rows)
    from_left = sorted((x, y, joint) for joint, (x, y, _) in enumerate(rows) if plausible[joint])
    for index, (x, y, joint) in enumerate(from_left, 1):
        for next_x, next_y, next_joint in from_left[index:]:
            if next_x - x > distance:
                break
            if math.hypot(next_x - x, next_y - y) <= distance and (joint in _LIMBS or next_joint in _LIMBS):
                counts[joint] += 1
                counts[next_joint] += 1
    return counts


def _unit(joints: Sequence[complex], height: int) -> float:
    lengths = [abs(joints[end] - joints[start]) * ratio for start, end, ratio in _LENGTHS]
    known = sorted(length for length in lengths if math.isfinite(length))
    unit = known[round(_UNIT_QUANTILE * (len(known) - 1))] if known else 0.2 * height
    return min(max(unit, 0.04 * height), 0.5 * height)


def _first_finite(*candidates: complex) -> complex:
    """Return the first finite candidate."""
    return next((point for point in candidates if cmath.isfinite(point)), UNKNOWN)


def _impute_trunk(points: list[complex], unit: float) -> None:
    """Impute neck, shoulders and hips, in place, from the other side, the other end of the spine or the legs."""
    right, left = Joint.RIGHT_SHOULDER, Joint.LEFT_SHOULDER
    right_hip, left_hip = Joint.RIGHT_HIP, Joint.LEFT_HIP
    across = _across(points) * unit
    down = unit * 1j
    hips = _first_finite(
        (points[right_hip] + points[left_hip]) / 2,
        points[right_hip] + _HIPS / 2 * across,
        points[left_hip] - _HIPS / 2 * across,
    )
    neck = _first_finite(
        points[Joint.NECK],
        (points[right] + points[left]) / 2,
        points[right] + across / 2,
        points[left] - across / 2,
        hips - _TRUNK * down,
        *(points[joint] + _NECK * down for joint in _HEAD),
    )
    hips = _first_finite(hips, _hips_above_legs(points, neck, across, down), neck + _TRUNK * down)
    points[Joint.NECK] = neck = _first_finite(neck, hips - _TRUNK * down)
    points[right] = _first_finite(points[right], 2 * neck - points[left], neck - across / 2)
    points[left] = _first_finite(points[left], 2 * neck - points[right])
    points[right_hip] = _first_finite(points[right_hip], points[left_hip] - _HIPS * across, hips - _HIPS / 2 * across)
    points[left_hip] = _first_finite(points[left_hip], points[right_hip] + _HIPS * across)


def _hips_above_legs(points: Sequence[complex], neck: complex, across: float, down: complex) -> complex:
    """Estimate the middle of undetected hips, on the line from neck to knees or ankles, or straight above these."""
    for right, left, length in (
        (Joint.RIGHT_KNEE, Joint.LEFT_KNEE, _THIGH),
        (Joint.RIGHT_ANKLE, Joint.LEFT_ANKLE, _THIGH + _SHIN),
    ):
        middle = _first_finite(
            (points[right] + points[left]) / 2,
            points[right] + _HIPS / 2 * across,
            points[left] - _HIPS / 2 * across,
        )
        if cmath.isfinite(middle):
            return _first_finite(neck + _TRUNK / (_TRUNK + length) * (middle - neck), middle - length * down)
    return UNKNOWN


def _across(points: Sequence[complex]) -> float:
    """Return the horizontal direction from the wearer's right to left: 1 in a front view, -1 in a back view."""
    pairs = ((Joint.RIGHT_SHOULDER, Joint.LEFT_SHOULDER), (Joint.RIGHT_HIP, Joint.LEFT_HIP))
    runs = [points[left].real - points[right].real for right, left in pairs]
    return -1.0 if next((run < 0 for run in runs if math.isfinite(run)), False) else 1.0


def _impute_legs(points: list[complex], unit: float) -> None:
    """Impute knees straight below the hips, and ankles along the thighs, in place."""
    down = unit * 1j
    for hip, knee, ankle in (
        (Joint.RIGHT_HIP, Joint.RIGHT_KNEE, Joint.RIGHT_ANKLE),
        (Joint.LEFT_HIP, Joint.LEFT_KNEE, Joint.LEFT_ANKLE),
    ):
        points[knee] = _first_finite(points[knee], (points[hip] + points[ankle]) / 2, points[hip] + _THIGH * down)
        thigh = points[knee] - points[hip]
        along = thigh / abs(thigh) * unit if abs(thigh) > 0 else down
        points[ankle] = _first_finite(points[ankle], points[knee] + _SHIN * along, points[knee] + _SHIN * down)
