"""Prevent self-crossing of cloth along bent limbs."""

from __future__ import annotations

import numpy as np

from tryon.synthetic.garments.cloth_mesh import MARGIN
from tryon.synthetic.paint.curves import Array, cached_linspace, gradient


def row_spacing(middle: Array, reach: Array) -> Array:
    """Return the spacing (R,) of rows at their ends relative to their centers; negative where they cross in a bend.

    Args:
        middle: (R, 2), center of each row.
        reach: (R, 2), vector from center to end.
    """
    along = gradient(middle)
    return 1 + (gradient(reach) * along).sum(1) / np.maximum((along**2).sum(1), 1e-12)


def remove_self_crossing(edge: Array) -> Array:
    """Replace the loop that an edge (R, 2) makes inside a sharp bend by a straight line."""
    start, step = edge[:-1], edge[1:] - edge[:-1]
    if (step @ (edge[-1] - edge[0]) > 0).all():  # monotone, hence no loop
        return edge
    between = start[None] - start[:, None]
    area = step[:, None, 0] * step[None, :, 1] - step[:, None, 1] * step[None, :, 0]
    area = np.where(np.abs(area) < 1e-12, np.inf, area)
    first = (between[..., 0] * step[None, :, 1] - between[..., 1] * step[None, :, 0]) / area
    second = (between[..., 0] * step[:, None, 1] - between[..., 1] * step[:, None, 0]) / area
    crossing = np.triu((first > 0) & (first < 1) & (second > 0) & (second < 1), 2)
    before, after = np.nonzero(crossing)
    if not len(before):
        return edge
    low, high = max(int(before.min()) - 1, 0), min(int(after.max()) + 2, len(edge) - 1)
    straight = edge.copy()
    straight[low : high + 1] = edge[low] + (edge[high] - edge[low]) * cached_linspace(0, 1, high - low + 1)[:, None]
    return straight


def smooth_edge(edge: Array) -> Array:
    """Smooth the corners of an edge (R, 2) without moving its ends."""
    soft = edge.copy()
    for _ in range(2):
        soft[1:-1] = soft[:-2] / 4 + soft[1:-1] / 2 + soft[2:] / 4
    return soft


def clip_margins(middle: Array, half: Array, columns: Array) -> Array:
    """Limit the margins of each row to where the rows cross inside a bend, so that no margin covers cloth.

    Args:
        middle: (R, 2), center of each row.
        half: (R, 2), vector from center to right edge.
        columns: (C,), margins outside -1..1.

    Returns:
        Columns (R, C) of each row.
    """
    along, turn = middle[1:] - middle[:-1], half[1:] - half[:-1]
    max_column = np.abs(columns).max()
    advance = (along**2).sum(1)
    narrowing = (along * turn).sum(1)
    crossing = -advance / np.where(np.abs(narrowing) < 1e-12, 1e-12, narrowing)
    clipped = np.repeat(columns[None], len(middle), axis=0)
    for side in (-1, 1):
        limit = np.full(len(middle) + 1, np.inf)
        limit[1:-1] = np.where(crossing * side > 0, np.abs(crossing), np.inf)
        max_margin = np.minimum(np.maximum(0.9 * np.minimum(limit[1:], limit[:-1]), 1.04), max_column)
        margin = columns * side > 1
        fraction = (np.abs(columns[margin]) - 1) / (max_column - 1)
        clipped[:, margin] = side * (1 + fraction * (max_margin[:, None] - 1))
    return clipped


def extrapolate_row(edge: Array, inner: Array) -> Array:
    """Extrapolate a margin row at least `MARGIN` from `inner` through `edge`."""
    step = edge - inner
    length = np.maximum(np.hypot(*step.T), 1e-9)[:, None]
    return edge + step / length * np.maximum(length, MARGIN)
