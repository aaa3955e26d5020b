"""Pleats: a hem in zigzag and the light on folds that all lie to one side."""

from __future__ import annotations

import numpy as np

from tryon.synthetic.paint.curves import Array, even, smoothstep

_STEP = 0.008
"""Height of a zigzag's step, in body heights."""


def pleated_hem(hem: float, pleats: int) -> Array:
    """The hem from the wearer's left to the right, (N, 2) t and h: each pleat rises slowly and drops at its edge."""
    edges = even(1, -1, pleats + 1)
    low, high = hem, hem - _STEP
    inner = [point for edge in edges[1:-1] for point in ((edge + 0.012, low), (edge - 0.012, high))]
    return np.array([(1.0, high), *inner, (-1.0, low - _STEP / 2)])


def pleated_light(columns: Array, heights: Array, waist: float, hem: float, pleats: int) -> Array:
    """Factor (R, C): every pleat is dark where it dips under its neighbour and bright at its edge.

    Args:
        columns: (C,) places across the cloth.
        heights: (R,) of the rows.
        waist, hem: where the pleats begin and end.
        pleats: their number.
    """
    place = (1 - columns) / 2 * pleats % 1  # 0 under the neighbour, 1 at the edge
    profile = 0.66 + 0.5 * place - 0.38 * smoothstep(place, 0.88, 1.0)
    strength = 0.45 + 0.55 * smoothstep(heights, waist, hem)
    return 1 + (profile - 0.89)[None] * strength[:, None] * (heights > waist)[:, None]
