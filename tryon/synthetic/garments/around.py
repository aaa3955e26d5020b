"""Cloth around a turned trunk: its front follows the chest, but not where the body's axis holds it."""

from __future__ import annotations

import numpy as np

from tryon.synthetic.figure.body import Body
from tryon.synthetic.figure.trunk import trunk_points
from tryon.synthetic.paint.curves import Array, smoothstep


def around_trunk(body: Body, heights: Array, columns: Array, half_widths: Array, until: float | None = None) -> Array:
    """Points (R, C, 2) of cloth around the trunk.

    Below `until` (trousers: the waist) the middle of the cloth comes back to the middle of the trunk.

    Args:
        body: who wears it.
        heights: (R,).
        columns: (C,) places across, -1..1 between the edges of the trunk.
        half_widths: (R,) of the cloth.
        until: height from which the turn fades, over a tenth of the body.
    """
    points = trunk_points(body, heights, columns, half_widths)
    if until is None:
        return points
    held = smoothstep(heights, until, until + 0.13)
    back = body.pose.shift * (held * half_widths)[:, None] * np.maximum(1 - columns**2, 0)
    return points - body.across(heights)[:, None] * back[..., None]
