"""Stripes: even, of three colors, thin, as on sailors' shirts, and as zigzags."""

from __future__ import annotations

from tryon.synthetic.fabrics.bands import Band, paint_bands
from tryon.synthetic.fabrics.fabric import Fabric, ImageArray, Part


def _bands(fabric: Fabric, part: Part, bands: list[Band]) -> ImageArray:
    return paint_bands(bands, fabric.period, fabric.angle, fabric.origin, part)


def paint_stripes(fabric: Fabric, part: Part) -> ImageArray:
    """Two colors, equally wide."""
    ground, second, _ = fabric.colors
    return _bands(fabric, part, [(1, second), (1, ground)])


def paint_two_stripes(fabric: Fabric, part: Part) -> ImageArray:
    """Three colors, equally wide."""
    ground, second, third = fabric.colors
    return _bands(fabric, part, [(34, second), (32, third), (34, ground)])


def paint_uneven_stripes(fabric: Fabric, part: Part) -> ImageArray:
    """A wide stripe between two narrow ones, a thin line of the third color beside each."""
    ground, second, third = fabric.colors
    side: list[Band] = [(8, second), (7, ground), (4, third)]
    return _bands(fabric, part, [*side, (12, ground), (34, second), (12, ground), *side[::-1], (16, ground)])


def paint_pinstripes(fabric: Fabric, part: Part) -> ImageArray:
    """Thin lines."""
    return _bands(fabric, part, [(12, fabric.colors[1]), (88, fabric.colors[0])])


def paint_breton(fabric: Fabric, part: Part) -> ImageArray:
    """Level stripes that leave more than half to the ground."""
    return _bands(fabric, part, [(42, fabric.colors[1]), (58, fabric.colors[0])])


def paint_chevron(fabric: Fabric, part: Part) -> ImageArray:
    """Level zigzags of three colors, the third one thin."""
    ground, second, third = fabric.colors
    bands: list[Band] = [(40, second), (14, third), (46, ground)]
    sway = (fabric.period * 0.9, fabric.period * 1.4)
    return paint_bands(bands, fabric.period, 0.0, fabric.origin, part, sway)
