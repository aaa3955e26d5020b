"""The body that the key points tell: its size, and the joints of trunk and legs with the missing ones filled in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tryon.dresscode.labels import MIN_SCORE, DensePart, Joint

Point = NDArray[np.float64]
"""(2,): x, y in pixels; NaN when unknown."""

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

_STARTS, _ENDS, _RATIOS = (np.array(column) for column in zip(*_SIZES, strict=True))

_FORESHORTENED = 0.7
"""Quantile over the estimates: turning and bending only shorten distances, so the upper ones are nearer the truth."""

_HIP_CHARTS = np.isin(np.arange(256), [
    DensePart.TORSO_BACK, DensePart.TORSO_FRONT, DensePart.RIGHT_UPPER_LEG_BACK, DensePart.LEFT_UPPER_LEG_BACK,
    DensePart.RIGHT_UPPER_LEG_FRONT, DensePart.LEFT_UPPER_LEG_FRONT,
])  # fmt: skip
_FILLED = [
    Joint.NECK, Joint.RIGHT_SHOULDER, Joint.LEFT_SHOULDER, Joint.RIGHT_HIP, Joint.LEFT_HIP, Joint.RIGHT_KNEE,
    Joint.LEFT_KNEE, Joint.RIGHT_ANKLE, Joint.LEFT_ANKLE,
]  # fmt: skip
_TRUNK, _HIPS, _THIGH, _SHIN = 1.4, 0.55, 1.15, 1.1  # lengths for joints that must be guessed, in shoulder widths


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
        points: float64 (18, 2): x, y; NaN where unknown. Trunk and legs are filled in from what is seen, also beyond
            the frame; head and arms are not.
        seen: bool (18,): joints that the detector gave.
        unit: the width of the shoulders, from joint to joint, as it would be from the front, in pixels.
    """

    points: NDArray[np.float64]
    seen: NDArray[np.bool_]
    unit: float

    def at(self, *joints: Joint) -> NDArray[np.float64]:
        """Points of some joints, (N, 2)."""
        return self.points[list(joints)]

    @property
    def down(self) -> Point:
        """Direction of the spine from neck to hips, length 1; straight down when unknown."""
        spine = self.at(Joint.RIGHT_HIP, Joint.LEFT_HIP).mean(0) - self.points[Joint.NECK]
        length = np.hypot(*spine)
        return spine / length if np.isfinite(length) and length > 0 else np.array([0.0, 1.0])


def body_from_keypoints(keypoints: NDArray[np.floating], height: int) -> Body:
    """Read key points, (18, 3) in pixels of a picture of this height, and fill in trunk and legs."""
    seen = (keypoints[:, 2] > MIN_SCORE) & np.isfinite(keypoints).all(1)
    reach = 8.0 * height
    points = np.where(seen[:, None], np.clip(keypoints[:, :2].astype(np.float64), -reach, reach), np.nan)
    unit = _unit(points, height)
    if not seen[_FILLED].all():
        _fill_trunk(points, unit)
        _fill_legs(points, unit)
    return Body(points, seen, unit)


def hip_half_width(dense_pose: NDArray[np.uint8] | None, body: Body) -> float:
    """Half-width of the hips as seen, pixels: by DensePose's torso and thighs, or else by the width of the shoulders.

    Shoulders alone are a third off on slim, stout and turned bodies.

    Args:
        dense_pose: uint8 (H, W), DensePose ids, or None.
        body: the joints.
    """
    middle = body.at(Joint.RIGHT_HIP, Joint.LEFT_HIP)[:, 1].mean()
    least, most = _SLIMMEST * body.unit, _STOUTEST * body.unit
    if dense_pose is None or not np.isfinite(middle):
        return HIP_WIDTH * body.unit
    rows = [min(max(round(middle + side * _HIP_BAND * body.unit), 0), len(dense_pose)) for side in (-1, 1)]
    band = _HIP_CHARTS[dense_pose[rows[0] : rows[1]]]
    columns = np.flatnonzero(band.sum(0) > _HIP_ROWS * len(band))
    if not len(columns):
        return HIP_WIDTH * body.unit
    return min(max(float(columns[-1] - columns[0] + 1) / 2, least), most)


def _unit(points: NDArray[np.float64], height: int) -> float:
    run = points[_ENDS] - points[_STARTS]
    lengths = np.hypot(run[:, 0], run[:, 1]) * _RATIOS
    known = np.sort(lengths[np.isfinite(lengths)]).tolist()
    unit = known[round(_FORESHORTENED * (len(known) - 1))] if known else 0.2 * height
    return min(max(unit, 0.04 * height), 0.5 * height)


def _first_known(*candidates: Point) -> Point:
    """The first of some guesses that is known, or NaN."""
    return next((point for point in candidates if np.isfinite(point).all()), np.full(2, np.nan))


def _fill_trunk(points: NDArray[np.float64], unit: float) -> None:
    """Neck, shoulders and hips, in place: from their mirror images, or from the other end of the spine."""
    right, left = Joint.RIGHT_SHOULDER, Joint.LEFT_SHOULDER
    right_hip, left_hip = Joint.RIGHT_HIP, Joint.LEFT_HIP
    across = _across(points) * unit
    down = np.array([0.0, unit])
    points[Joint.NECK] = _first_known(
        points[Joint.NECK],
        (points[right] + points[left]) / 2,
        points[right] + across / 2,
        points[left] - across / 2,
        (points[right_hip] + points[left_hip]) / 2 - _TRUNK * down,
        points[right_hip] + _HIPS / 2 * across - _TRUNK * down,
        points[left_hip] - _HIPS / 2 * across - _TRUNK * down,
        points[Joint.NOSE] + 0.7 * down,
    )
    neck = points[Joint.NECK]
    points[right] = _first_known(points[right], 2 * neck - points[left], neck - across / 2)
    points[left] = _first_known(points[left], 2 * neck - points[right])
    points[right_hip] = _first_known(
        points[right_hip], points[left_hip] - _HIPS * across, neck + _TRUNK * down - _HIPS / 2 * across
    )
    points[left_hip] = _first_known(points[left_hip], points[right_hip] + _HIPS * across)


def _across(points: NDArray[np.float64]) -> Point:
    """Horizontal direction from the wearer's right to left: +x seen from the front, -x from the back."""
    pairs = ((Joint.RIGHT_SHOULDER, Joint.LEFT_SHOULDER), (Joint.RIGHT_HIP, Joint.LEFT_HIP))
    runs = [points[left][0] - points[right][0] for right, left in pairs]
    backwards = next((run < 0 for run in runs if np.isfinite(run)), False)
    return np.array([-1.0 if backwards else 1.0, 0.0])


def _fill_legs(points: NDArray[np.float64], unit: float) -> None:
    """Knees and ankles, in place: straight down from the hip, and on along the thigh."""
    down = np.array([0.0, unit])
    for hip, knee, ankle in (
        (Joint.RIGHT_HIP, Joint.RIGHT_KNEE, Joint.RIGHT_ANKLE),
        (Joint.LEFT_HIP, Joint.LEFT_KNEE, Joint.LEFT_ANKLE),
    ):
        points[knee] = _first_known(points[knee], (points[hip] + points[ankle]) / 2, points[hip] + _THIGH * down)
        thigh = points[knee] - points[hip]
        length = np.hypot(*thigh)
        along = thigh / length * unit if length > 0 else down
        points[ankle] = _first_known(points[ankle], points[knee] + _SHIN * along, points[knee] + _SHIN * down)
