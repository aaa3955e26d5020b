"""Rows of cloth along a bent limb: where they would cross inside the bend, and how cloth bridges it."""

from __future__ import annotations

import numpy as np

from tryon.synthetic.garments.cloth_mesh import MARGIN
from tryon.synthetic.paint.curves import Array, cached_linspace, gradient


def row_spacing(middle: Array, reach: Array) -> Array:
    """How far rows (R,) are apart at their ends against their middles: below 0 where they cross inside a bend.

    Args:
        middle: (R, 2), middle of each row.
        reach: (R, 2), from there to the end.
    """
    along = gradient(middle)
    return 1 + (gradient(reach) * along).sum(1) / np.maximum((along**2).sum(1), 1e-12)


def remove_self_crossing(edge: Array) -> Array:
    """An edge (R, 2) without the loop that it makes inside a sharp bend: it bridges the bend, as cloth does."""
    start, step = edge[:-1], edge[1:] - edge[:-1]
    if (step @ (edge[-1] - edge[0]) > 0).all():  # it only ever goes on: no loop
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
    """An edge (R, 2) with softer corners and the same ends."""
    soft = edge.copy()
    for _ in range(2):
        soft[1:-1] = soft[:-2] / 4 + soft[1:-1] / 2 + soft[2:] / 4
    return soft


def clip_margins(middle: Array, half: Array, columns: Array) -> Array:
    """Columns (R, C) of each row whose margins end where the rows cross inside a bend, so that none covers cloth.

    Args:
        middle: (R, 2), middle of each row.
        half: (R, 2), from there to the right edge.
        columns: (C,), margins beyond -1 and 1.
    """
    along, turn = middle[1:] - middle[:-1], half[1:] - half[:-1]
    farthest = np.abs(columns).max()
    advance = (along**2).sum(1)
    narrowing = (along * turn).sum(1)  # how much less than the middle the right edge advances, negated
    crossing = -advance / np.where(np.abs(narrowing) < 1e-12, 1e-12, narrowing)
    made = np.repeat(columns[None], len(middle), axis=0)
    for side in (-1, 1):
        place = np.full(len(middle) + 1, np.inf)
        place[1:-1] = np.where(crossing * side > 0, np.abs(crossing), np.inf)
        most = np.minimum(np.maximum(0.9 * np.minimum(place[1:], place[:-1]), 1.04), farthest)
        margin = columns * side > 1
        share = (np.abs(columns[margin]) - 1) / (farthest - 1)
        made[:, margin] = side * (1 + share * (most[:, None] - 1))
    return made


def extrapolate_row(edge: Array, inner: Array) -> Array:
    """A margin row beyond `edge`, straight on from `inner`, at least `MARGIN` away."""
    step = edge - inner
    length = np.maximum(np.hypot(*step.T), 1e-9)[:, None]
    return edge + step / length * np.maximum(length, MARGIN)
