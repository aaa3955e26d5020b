"""Tubes of skin: meshes along a middle line, with the distance to their edge."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tryon.synthetic.figure.body import ARMPIT, SHOULDER, SHOULDER_DROP, Body
from tryon.synthetic.paint.curves import Array, normals, offset_points, smoothstep
from tryon.synthetic.paint.raster import MARGIN_PX

COLUMNS = np.linspace(-1, 1, 9)

_BENT = 0.6
"""Cosine between both ends of a tube below which its halves may lie over each other."""

_CREASE = 3.0
"""Pixels over which the light changes from one half to the other inside a bend."""


class Tube(NamedTuple):
    """A tube as a mesh.

    Args:
        points: (R, 9, 2), in pixels.
        distance: (R, 9), pixels from the edge, positive inside.
        across: (R, 2), unit vectors towards growing columns.
        columns: (R, 9), place across the tube, 1 at its edge, more in the margin.
        along: (R,), pixels along the middle line, below 0 before its start.
        facing: (R, C, 2), away from the middle line, of length 1 at the edge; None where it is `across * columns`.
    """

    points: Array
    distance: Array
    across: Array
    columns: Array
    along: Array
    facing: Array | None = None


def build_tube(line: Array, half_widths: Array) -> Tube:
    """Mesh of a tube with round ends.

    Args:
        line: (N, 2), middle line in pixels, equal steps.
        half_widths: (N,), pixels.
    """
    step = float(np.hypot(*(line[1] - line[0])))
    extra = [max(int(np.ceil((width + MARGIN_PX) / step)), 1) for width in (half_widths[0], half_widths[-1])]
    before = line[0] + (line[0] - line[1]) * np.arange(extra[0], 0, -1)[:, None]
    after = line[-1] + (line[-1] - line[-2]) * np.arange(1, extra[1] + 1)[:, None]
    whole = np.concatenate([before, line, after])
    widths = np.concatenate([np.repeat(half_widths[0], extra[0]), half_widths, np.repeat(half_widths[-1], extra[1])])
    across = normals(whole)
    lateral = COLUMNS * (widths[:, None] + MARGIN_PX)
    along = (np.arange(len(whole), dtype=np.float64) - extra[0]) * step
    beyond = np.maximum(np.maximum(-along, along - (len(line) - 1) * step), 0)[:, None]
    distance = widths[:, None] - np.hypot(lateral, beyond)
    points = offset_points(whole, across, lateral)
    made = Tube(points, distance, across, lateral / widths[:, None], along)
    upper = len(line) // 3
    first, last = line[upper + 1] - line[upper], line[-1] - line[-2]
    bent = first @ last < _BENT * np.hypot(*first) * np.hypot(*last)
    return _as_one(made, line, half_widths) if bent else made


def _as_one(made: Tube, line: Array, half_widths: Array) -> Tube:
    """A sharply bent tube whose halves agree where they lie over each other.

    There a point is as deep inside, and as far round the tube, as in the discs that hold it best: so the margin of one
    half cuts no hole into the other, and it does not matter which half is seen.
    """
    line, half_widths = line[::2], half_widths[::2]  # dense enough
    x, y = (made.points[..., axis, None] - line[:, axis] for axis in (0, 1))
    depth = half_widths - np.sqrt(x * x + y * y)
    deepest = depth.max(-1)
    share = np.exp((depth - deepest[..., None]) / _CREASE)
    share /= share.sum(-1, keepdims=True)
    facing = (made.points - share @ line) / (share @ half_widths)[..., None]
    return made._replace(distance=np.maximum(made.distance, deepest), facing=facing)


def trunk_points(body: Body, heights: Array, columns: Array, half_widths: Array) -> Array:
    """Points (R, C, 2) of a sheet around the trunk. Rows follow spine and shoulders, columns shift as it turns.

    On the shoulders nothing shifts: there the sheet lies around the neck, which is on the axis of the turn.
    """
    turned = smoothstep(heights, SHOULDER - 0.01, ARMPIT + 0.03)[:, None]
    t = columns + body.pose.front_shift * turned * np.maximum(1 - columns**2, 0)
    points = offset_points(body.center(heights), body.across(heights), t * half_widths[:, None])
    slope = SHOULDER_DROP * np.abs(columns) ** 1.3 * (1 - smoothstep(heights, SHOULDER, ARMPIT + 0.03))[:, None]
    sag = 0.008 * np.maximum(1 - columns**2, 0) * smoothstep(heights, 0.3, 0.5)[:, None]
    points[..., 1] += slope + sag
    return points
