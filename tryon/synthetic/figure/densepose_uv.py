"""DensePose surface coordinates of the body's layers.

The charts are the twin's own parametrisation of the same 24 parts, not DensePose's published one: `u` runs around a
part and `v` along it, 0..1 each, and a point of the body has the same (u, v) in every pose and image. Left and right
mirror each other: `u` of a limb grows from the inner to the outer side, or away from the seam between its two charts.
`v` runs back and forth from part to part (shoulder 0, elbow 1, wrist 0, finger tips 1; hip 0, knee 1, ankle 0, toes 1;
crown 0, foot of the neck 1; shoulder line 0, crotch 1), so that it has no jump where one layer holds two charts.
"""

from __future__ import annotations

import numpy as np

from tryon.synthetic.figure.body import ANKLE, CROTCH, HIP_JOINT, KNEE, SHOULDER
from tryon.synthetic.figure.pose import Side
from tryon.synthetic.paint.curves import Array, stack_xy

_CHIN = 0.72  # v of the chin


def _chart(u: Array, v: Array) -> Array:
    return np.minimum(np.maximum(stack_xy(u, v), 0), 1)


def _there_and_back(place: Array, middle: float, end: float) -> Array:
    """Rises from 0 at place 0 to 1 at `middle` and falls to 0 at `end`."""
    return np.minimum(place / middle, np.maximum(end - place, 0) / (end - middle))


def trunk_uv(heights: Array, columns: Array) -> Array:
    """(R, C, 2) of the front of the trunk at heights (R,) and places (C,), -1 the wearer's right edge to 1."""
    return _chart((columns + 1) / 2, (heights[:, None] - SHOULDER) / (CROTCH - SHOULDER))


def head_uv(x: Array, y: Array) -> Array:
    """(R, C, 2) of places on the head (R, C): x -1..1 across it, y 0 crown to 1 chin."""
    return _chart(np.abs(x), y * _CHIN)


def neck_uv(columns: Array, run: Array) -> Array:
    """(R, C, 2) of the neck at places across (R, C) and along it (R,), 0 under the chin to 1 at its foot."""
    return _chart(np.abs(columns), (_CHIN + (1 - _CHIN) * run)[:, None])


def arm_uv(along: Array, columns: Array, elbow: float, wrist: float) -> Array:
    """(R, C, 2) of an arm at places along its line (R,) and across it (R, C); its charts meet in the middle."""
    return _chart(np.abs(columns), _there_and_back(along, elbow, wrist)[:, None])


def hand_uv(plane: Array) -> Array:
    """(R, C, 2) of a hand at points (R, C, 2) of its drawing: x from the thumb's side, y from wrist to finger tips."""
    return _chart(0.5 + plane[..., 0] / 0.6, plane[..., 1])


def leg_uv(heights: Array, columns: Array, side: Side) -> Array:
    """(R, C, 2) of the front of a leg at heights (R,) and places across it (R, C)."""
    along = _there_and_back(heights - HIP_JOINT, KNEE - HIP_JOINT, ANKLE - HIP_JOINT)
    return _chart((1 + columns * side) / 2, along[:, None])


def foot_uv(plane: Array) -> Array:
    """(R, C, 2) of a foot at points (R, C, 2) of its drawing: x from the inner side, y from ankle to toes."""
    return _chart(0.5 - plane[..., 0] / 0.8, plane[..., 1])
