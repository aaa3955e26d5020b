"""Build meshes of limbs and trunk."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tryon.synthetic.figure.body import ARMPIT, SHOULDER, SHOULDER_DROP, Body
from tryon.synthetic.paint.curves import Array, normals, offset_points, smoothstep
from tryon.synthetic.paint.raster import MARGIN_PX

COLUMNS = np.linspace(-1, 1, 9)

_BENT_COSINE = 0.6
"""Cosine between both ends of a tube below which its halves may overlap."""

_CREASE_WIDTH = 3.0
"""Pixels over which the shading changes between both halves inside a bend."""


class Tube(NamedTuple):
    """Mesh of a tube.

    Args:
        points: (R, 9, 2), in pixels.
        distance: (R, 9), pixels from the edge, positive inside.
        across: (R, 2), unit vectors towards growing columns.
        columns: (R, 9), position across the tube, 1 at its edge, larger in the margin.
        along: (R,), pixels along the center line, negative before its start.
        facing: (R, 9, 2), vectors from the center line, of length 1 at the edge; None if `across * columns`.
    """

    points: Array
    distance: Array
    across: Array
    columns: Array
    along: Array
    facing: Array | None = None


def build_tube(line: Array, half_widths: Array) -> Tube:
    """Build a tube with round ends from an evenly spaced center line (N, 2) and half-widths (N,) in pixels."""
    step = float(np.hypot(*(line[1] - line[0])))
    extra = [max(int(np.ceil((width + MARGIN_PX) / step)), 1) for width in (half_widths[0], half_widths[-1])]
    before = line[0] + (line[0] - line[1]) * np.arange(extra[0], 0, -1)[:, None]
    after = line[-1] + (line[-1] - line[-2]) * np.arange(1, extra[1] + 1)[:, None]
    extended = np.concatenate([before, line, after])
    widths = np.concatenate([np.repeat(half_widths[0], extra[0]), half_widths, np.repeat(half_widths[-1], extra[1])])
    across = normals(extended)
    lateral = COLUMNS * (widths[:, None] + MARGIN_PX)
    along = (np.arange(len(extended), dtype=np.float64) - extra[0]) * step
    beyond = np.maximum(np.maximum(-along, along - (len(line) - 1) * step), 0)[:, None]
    distance = widths[:, None] - np.hypot(lateral, beyond)
    points = offset_points(extended, across, lateral)
    tube = Tube(points, distance, across, lateral / widths[:, None], along)
    upper = len(line) // 3
    first, last = line[upper + 1] - line[upper], line[-1] - line[-2]
    is_bent = first @ last < _BENT_COSINE * np.hypot(*first) * np.hypot(*last)
    return _blend_halves(tube, line, half_widths) if is_bent else tube


def _blend_halves(tube: Tube, line: Array, half_widths: Array) -> Tube:
    """Make both halves of a sharply bent tube consistent where they overlap.

    Distance and facing come from the discs around the center line that contain a point best, so that the margin of one
    half cuts no hole into the other.
    """
    line, half_widths = line[::2], half_widths[::2]
    x, y = (tube.points[..., axis, None] - line[:, axis] for axis in (0, 1))
    depth = half_widths - np.sqrt(x * x + y * y)
    deepest = depth.max(-1)
    weights = np.exp((depth - deepest[..., None]) / _CREASE_WIDTH)
    weights /= weights.sum(-1, keepdims=True)
    facing = (tube.points - weights @ line) / (weights @ half_widths)[..., None]
    return tube._replace(distance=np.maximum(tube.distance, deepest), facing=facing)


def trunk_points(body: Body, heights: Array, columns: Array, half_widths: Array) -> Array:
    """Return points (R, C, 2) of a sheet around the trunk.

    Rows follow spine and shoulders; columns shift as the trunk turns, except at the neck, the axis of the turn.
    """
    turned = smoothstep(heights, SHOULDER - 0.01, ARMPIT + 0.03)[:, None]
    t = columns + body.pose.front_shift * turned * np.maximum(1 - columns**2, 0)
    points = offset_points(body.center(heights), body.across(heights), t * half_widths[:, None])
    slope = SHOULDER_DROP * np.abs(columns) ** 1.3 * (1 - smoothstep(heights, SHOULDER, ARMPIT + 0.03))[:, None]
    sag = 0.008 * np.maximum(1 - columns**2, 0) * smoothstep(heights, 0.3, 0.5)[:, None]
    points[..., 1] += slope + sag
    return points
