"""Paint checks: two sets of crossed bands."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.synthetic.fabrics.bands import Band, paint_bands
from tryon.synthetic.fabrics.fabric import Fabric, ImageArray, Region, colorize
from tryon.synthetic.fabrics.tiles import lay_tiles

_ON, _OFF = (255,), (0,)
_EQUAL_BANDS: list[Band] = [(1, _ON), (1, _OFF)]


def _paint_crossed(
    fabric: Fabric, region: Region, bands: list[Band], angles: tuple[float, float] = (0, 90)
) -> list[NDArray[np.uint8]]:
    """Paint the same bands at two angles relative to the fabric's direction."""
    return [paint_bands(bands, fabric.period, fabric.angle + turn, fabric.origin, region) for turn in angles]


def paint_checks(fabric: Fabric, region: Region) -> ImageArray:
    """Paint a chessboard."""
    first, second = _paint_crossed(fabric, region, _EQUAL_BANDS)
    return colorize(cv2.absdiff(first, second), *fabric.colors[:2])  # pyright: ignore[reportArgumentType]


def paint_gingham(fabric: Fabric, region: Region) -> ImageArray:
    """Paint crossed stripes that blend where they overlap."""
    first, second = _paint_crossed(fabric, region, _EQUAL_BANDS)
    mixed = cv2.addWeighted(first, 0.5, second, 0.5, 0)
    return colorize(mixed, *fabric.colors[:2])  # pyright: ignore[reportArgumentType]


def paint_tartan(fabric: Fabric, region: Region) -> ImageArray:
    """Paint a tartan: one symmetric sequence of bands for warp and weft."""
    ground, second, third = fabric.colors
    half: list[Band] = [(6, third), (12, ground), (4, second), (6, ground)]
    warp, weft = _paint_crossed(fabric, region, [*half, (36, second), *half[::-1], (18, ground)])
    return cv2.addWeighted(warp, 0.5, weft, 0.5, 0)  # pyright: ignore[reportReturnType]


def paint_plaid(fabric: Fabric, region: Region) -> ImageArray:
    """Paint wide crossed bands with one line over them."""
    ground, second, third = fabric.colors
    warp, weft = _paint_crossed(fabric, region, [(19, second), (12, third), (19, second), (50, ground)])
    return cv2.addWeighted(warp, 0.5, weft, 0.5, 0)  # pyright: ignore[reportReturnType]


def paint_windowpane(fabric: Fabric, region: Region) -> ImageArray:
    """Paint crossed lines on a plain ground."""
    first, second = _paint_crossed(fabric, region, [(16, _ON), (84, _OFF)])
    return colorize(cv2.max(first, second), *fabric.colors[:2])  # pyright: ignore[reportArgumentType]


def paint_argyle(fabric: Fabric, region: Region) -> ImageArray:
    """Paint diamonds of two colors that touch at their corners."""
    first, second = _paint_crossed(fabric, region, _EQUAL_BANDS, (58.0, -58.0))
    mixed = cv2.addWeighted(first, 0.5, second, 0.5, 0)
    ground, light, dark = fabric.colors
    return colorize(mixed, dark, ground, light)  # pyright: ignore[reportArgumentType]


@cache
def _houndstooth() -> NDArray[np.uint8]:
    """Weave four dark and four light threads in a 2/2 twill, with smoothed edges: uint8 (256, 256)."""
    thread = np.arange(8)
    warp_on_top = (thread[None] + thread[:, None]) % 4 < 2
    dark = np.where(warp_on_top, thread[None] % 8 < 4, thread[:, None] % 8 < 4)
    large = np.kron(np.tile(dark, (2, 2)), np.ones((32, 32))).astype(np.float32)
    soft = cv2.GaussianBlur(large, (0, 0), 12)[128:384, 128:384]
    return (np.clip((soft - 0.5) * 9 + 0.5, 0, 1) * 255).astype(np.uint8)


def paint_houndstooth(fabric: Fabric, region: Region) -> ImageArray:
    """Paint houndstooth checks."""
    side = max(round(fabric.period), 8)
    small = cv2.resize(_houndstooth(), (side, side), interpolation=cv2.INTER_AREA)
    return lay_tiles(colorize(small, *fabric.colors[:2]), fabric.angle, fabric.origin, region)  # pyright: ignore
