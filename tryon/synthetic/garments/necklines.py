"""Define necklines in cloth coordinates t (-1..1 across) and heights h."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tryon.synthetic.figure.body import ARMPIT, SHOULDER
from tryon.synthetic.garments.garment import Garment, Neckline
from tryon.synthetic.paint.curves import Array, cached_linspace

TOP = SHOULDER - 0.003
"""Height of the cloth's upper edge on the shoulders, at the neck."""

BARE_TOP = 0.208
"""Height of the upper edge of garments with bare shoulders."""


class Size(NamedTuple):
    """Half-width in t and depth in body heights of a neckline."""

    width: float
    depth: float


_SIZES: dict[Neckline, Size] = {
    "round": Size(0.42, 0.045),
    "v": Size(0.4, 0.085),
    "square": Size(0.5, 0.062),
    "boat": Size(0.62, 0.022),
    "high": Size(0.38, 0.012),
    "collar": Size(0.38, 0.04),
}

_STRAP = (0.5, 0.6)
"""Positions t of a strap's inner and outer edge."""


class Opening(NamedTuple):
    """The upper edge of the cloth around the trunk.

    Args:
        outlines: closed outlines of additional parts: straps.
        upper: (N, 2) t and h, from the wearer's right armpit over the shoulders to the left one.
        edge: (N, 2), the hemmed part of it, around the neck or across the chest.
        inside: (N, 2), closed outline of the lining of the back, visible when laid flat.
    """

    outlines: list[Array]
    upper: Array
    edge: Array
    inside: Array


def neckline_opening(garment: Garment) -> Opening:
    """Return the upper edge of a top or dress."""
    if garment.neckline == "straps":
        return _strapped(garment)
    if garment.neckline == "off_shoulder":
        return _off_shoulder(garment)
    if garment.neckline == "one_shoulder":
        return _one_shoulder()
    neck = neck_line(garment)
    left = _shoulder(garment.sleeve != "sleeveless", neckline_size(garment).width)
    right = left[::-1] * [-1, 1]
    return Opening([], np.concatenate([right, neck, left]), neck, _inside(neck, 0.012))


def neckline_size(garment: Garment) -> Size:
    """Return the size of a neckline around the neck."""
    width, depth = _SIZES[garment.neckline or "round"]
    return Size(width, depth * garment.neck_depth)


def neck_line(garment: Garment) -> Array:
    """Return the neckline (N, 2) of t and h from the wearer's right to left."""
    width, depth = neckline_size(garment)
    if garment.neckline in ("v", "collar"):
        u = cached_linspace(-1, 1, 17)
        return np.stack([width * u, SHOULDER + depth - (SHOULDER + depth - TOP) * np.abs(u) ** 1.15], axis=1)
    if garment.neckline == "square":
        low, w = SHOULDER + depth, width * 0.95
        return np.array(
            [(-width, TOP), (-w, low - 0.006), (-w * 0.93, low), (w * 0.93, low), (w, low - 0.006), (width, TOP)]
        )
    angle = cached_linspace(np.pi, 0, 24)
    return np.stack([width * np.cos(angle), TOP + (SHOULDER + depth - TOP) * np.sin(angle)], axis=1)


def _shoulder(sleeved: bool, inner: float) -> Array:
    """Return the line (N, 2) from the neck over the shoulder to the armpit on the wearer's left."""
    if sleeved:
        return np.array([(1.0, TOP), (1.0, 0.2), (1.0, ARMPIT)])
    edge = max(0.78, inner + 0.14)
    angle = cached_linspace(0, np.pi / 2, 12)
    armhole = np.stack([1 - (1 - edge) * np.cos(angle), 0.185 + (ARMPIT + 0.006 - 0.185) * np.sin(angle)], axis=1)
    return np.concatenate([[(edge, TOP)], armhole])


def _strapped(garment: Garment) -> Opening:
    inner, outer = _STRAP
    u = cached_linspace(-1, 1, 25)
    middle = BARE_TOP + 0.016 * garment.neck_depth
    h = np.interp(np.abs(u), [0, inner, outer, 1], [middle, BARE_TOP, BARE_TOP, ARMPIT + 0.004])
    upper = np.stack([u, h], axis=1)
    strap = np.array([(inner, TOP), (outer, TOP), (outer, 0.23), (inner, 0.23)])
    return Opening([strap * (-1, 1), strap], upper, upper[4:-4], _inside(upper[4:-4], -0.006))


def _off_shoulder(garment: Garment) -> Opening:
    u = cached_linspace(-1, 1, 25)
    edge = np.stack([u, BARE_TOP - 0.004 + 0.01 * garment.neck_depth * (1 - u**2)], axis=1)
    upper = np.concatenate([[(-1.0, ARMPIT)], edge, [(1.0, ARMPIT)]])
    return Opening([], upper, edge, _inside(edge, -0.006))


def _one_shoulder() -> Opening:
    """Return an edge from the wearer's left shoulder down to the right armpit."""
    left = _shoulder(False, 0.4)
    u = cached_linspace(0, 1, 16)
    edge = np.stack([-1 + 1.4 * u, ARMPIT + 0.004 - (ARMPIT + 0.004 - TOP) * u**1.6], axis=1)
    return Opening([], np.concatenate([edge, left]), edge, _inside(edge, 0.0))


def _inside(edge: Array, dip: float) -> Array:
    """Return the outline between the front edge and the back edge, which is `dip` lower in its middle."""
    u = cached_linspace(1, 0, 16)
    back = edge[0] + (edge[-1] - edge[0]) * u[:, None]
    back[:, 1] += dip * 4 * u * (1 - u)
    return np.concatenate([edge, back])
