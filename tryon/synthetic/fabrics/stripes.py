"""Paint stripes, pinstripes, Breton stripes and chevrons."""

from __future__ import annotations

from tryon.synthetic.fabrics.bands import Band, paint_bands
from tryon.synthetic.fabrics.fabric import Fabric, ImageArray, Region


def _paint(fabric: Fabric, region: Region, bands: list[Band]) -> ImageArray:
    return paint_bands(bands, fabric.period, fabric.angle, fabric.origin, region)


def paint_stripes(fabric: Fabric, region: Region) -> ImageArray:
    """Paint stripes of two colors and equal width."""
    ground, second, _ = fabric.colors
    return _paint(fabric, region, [(1, second), (1, ground)])


def paint_two_stripes(fabric: Fabric, region: Region) -> ImageArray:
    """Paint stripes of three colors and nearly equal width."""
    ground, second, third = fabric.colors
    return _paint(fabric, region, [(34, second), (32, third), (34, ground)])


def paint_uneven_stripes(fabric: Fabric, region: Region) -> ImageArray:
    """Paint a wide stripe between two narrow ones with thin accent lines."""
    ground, second, third = fabric.colors
    side: list[Band] = [(8, second), (7, ground), (4, third)]
    return _paint(fabric, region, [*side, (12, ground), (34, second), (12, ground), *side[::-1], (16, ground)])


def paint_pinstripes(fabric: Fabric, region: Region) -> ImageArray:
    """Paint thin lines."""
    return _paint(fabric, region, [(12, fabric.colors[1]), (88, fabric.colors[0])])


def paint_breton(fabric: Fabric, region: Region) -> ImageArray:
    """Paint horizontal stripes that leave more than half to the ground."""
    return _paint(fabric, region, [(42, fabric.colors[1]), (58, fabric.colors[0])])


def paint_chevron(fabric: Fabric, region: Region) -> ImageArray:
    """Paint horizontal zigzags of three colors."""
    ground, second, third = fabric.colors
    bands: list[Band] = [(40, second), (14, third), (46, ground)]
    zigzag = (fabric.period * 0.9, fabric.period * 1.4)
    return paint_bands(bands, fabric.period, 0.0, fabric.origin, region, zigzag)
