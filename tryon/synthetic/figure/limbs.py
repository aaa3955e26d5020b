"""Tubes of skin: meshes along a middle line, with the distance to their edge."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tryon.synthetic.paint.curves import Array, normals
from tryon.synthetic.paint.raster import MARGIN_PX

COLUMNS = np.linspace(-1, 1, 9)


class Tube(NamedTuple):
    """A tube as a mesh.

    Args:
        points: (R, 9, 2), in pixels.
        distance: (R, 9), pixels from the edge, positive inside.
        across: (R, 2), unit vectors towards growing columns.
        columns: (R, 9), place across the tube, 1 at its edge, more in the margin.
        along: (R,), pixels along the middle line, below 0 before its start.
    """

    points: Array
    distance: Array
    across: Array
    columns: Array
    along: Array


def tube(line: Array, half_widths: Array) -> Tube:
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
    return Tube(
        whole[:, None] + across[:, None] * lateral[..., None], distance, across, lateral / widths[:, None], along
    )
