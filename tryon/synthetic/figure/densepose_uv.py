"""Compute DensePose surface coordinates of the body's layers.

The charts parametrize the 24 DensePose parts, but not as published: `u` runs around a part and `v` along it, 0..1 each,
and a point of the body has the same (u, v) in every pose. Left and right mirror each other: `u` of a limb grows from
the inner to the outer side, or away from the seam between its two charts. `v` alternates from part to part (shoulder 0,
elbow 1, wrist 0, finger tips 1; hip 0, knee 1, ankle 0, toes 1; crown 0, base of the neck 1; shoulder line 0, crotch
1), so that it is continuous across the two charts of a layer. All functions return (R, C, 2).
"""

from __future__ import annotations

import numpy as np

from tryon.synthetic.figure.body import ANKLE, CROTCH, HIP_JOINT, KNEE, SHOULDER
from tryon.synthetic.figure.pose import Side
from tryon.synthetic.paint.curves import Array, stack_xy

_CHIN = 0.72  # v of the chin


def _chart(u: Array, v: Array) -> Array:
    return np.minimum(np.maximum(stack_xy(u, v), 0), 1)


def _triangle_wave(position: Array, middle: float, end: float) -> Array:
    """Rise from 0 at 0 to 1 at `middle` and fall back to 0 at `end`."""
    return np.minimum(position / middle, np.maximum(end - position, 0) / (end - middle))


def trunk_uv(heights: Array, columns: Array) -> Array:
    """Compute UV of the front of the trunk at heights (R,) and positions (C,), -1 the wearer's right to 1."""
    return _chart((columns + 1) / 2, (heights[:, None] - SHOULDER) / (CROTCH - SHOULDER))


def head_uv(x: Array, y: Array) -> Array:
    """Compute UV at points of the head (R, C): x -1..1 across, y 0 (crown) to 1 (chin)."""
    return _chart(np.abs(x), y * _CHIN)


def neck_uv(columns: Array, along: Array) -> Array:
    """Compute UV of the neck at positions across (R, C) and along it (R,), 0 chin to 1 base."""
    return _chart(np.abs(columns), (_CHIN + (1 - _CHIN) * along)[:, None])


def arm_uv(along: Array, columns: Array, elbow: float, wrist: float) -> Array:
    """Compute UV of an arm at positions along (R,) and across it (R, C); its charts meet in the middle."""
    return _chart(np.abs(columns), _triangle_wave(along, elbow, wrist)[:, None])


def hand_uv(plane: Array) -> Array:
    """Compute UV of a hand at points of its drawing: x from the thumb's side, y from wrist to finger tips."""
    return _chart(0.5 + plane[..., 0] / 0.6, plane[..., 1])


def leg_uv(heights: Array, columns: Array, side: Side) -> Array:
    """Compute UV of the front of a leg at heights (R,) and positions across it (R, C)."""
    along = _triangle_wave(heights - HIP_JOINT, KNEE - HIP_JOINT, ANKLE - HIP_JOINT)
    return _chart((1 + columns * side) / 2, along[:, None])


def foot_uv(plane: Array) -> Array:
    """Compute UV of a foot at points of its drawing: x from the inner side, y from ankle to toes."""
    return _chart(0.5 - plane[..., 0] / 0.8, plane[..., 1])
