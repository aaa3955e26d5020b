"""Sheets around the trunk: where its skin lies, and the cloth over it."""

from __future__ import annotations

import numpy as np

from tryon.synthetic.figure.body import ARMPIT, SHOULDER, SHOULDER_DROP, Body
from tryon.synthetic.paint.curves import Array, beside, smoothstep


def trunk_points(body: Body, heights: Array, columns: Array, half_widths: Array) -> Array:
    """Points (R, C, 2) of a sheet around the trunk. Rows follow spine and shoulders, columns shift as it turns.

    On the shoulders nothing shifts: there the sheet lies around the neck, which is on the axis of the turn.
    """
    turned = smoothstep(heights, SHOULDER - 0.01, ARMPIT + 0.03)[:, None]
    t = columns + body.pose.shift * turned * np.maximum(1 - columns**2, 0)
    points = beside(body.centre(heights), body.across(heights), t * half_widths[:, None])
    slope = SHOULDER_DROP * np.abs(columns) ** 1.3 * (1 - smoothstep(heights, SHOULDER, ARMPIT + 0.03))[:, None]
    sag = 0.008 * np.maximum(1 - columns**2, 0) * smoothstep(heights, 0.3, 0.5)[:, None]
    points[..., 1] += slope + sag
    return points
