"""Checks: two sets of bands that cross."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.synthetic.fabrics.bands import Band, paint_bands
from tryon.synthetic.fabrics.fabric import Fabric, ImageArray, Part, colorize
from tryon.synthetic.fabrics.tiles import lay_tiles

_ON, _OFF = (255,), (0,)
_EVEN: list[Band] = [(1, _ON), (1, _OFF)]


def _crossed(
    fabric: Fabric, part: Part, bands: list[Band], angles: tuple[float, float] = (0, 90)
) -> list[NDArray[np.uint8]]:
    """The same bands in two directions, relative to the fabric's own."""
    return [paint_bands(bands, fabric.period, fabric.angle + turn, fabric.origin, part) for turn in angles]


def paint_checks(fabric: Fabric, part: Part) -> ImageArray:
    """A chessboard."""
    first, second = _crossed(fabric, part, _EVEN)
    return colorize(cv2.absdiff(first, second), *fabric.colors[:2])  # pyright: ignore[reportArgumentType]


def paint_gingham(fabric: Fabric, part: Part) -> ImageArray:
    """Crossed stripes that show through each other."""
    first, second = _crossed(fabric, part, _EVEN)
    half = cv2.addWeighted(first, 0.5, second, 0.5, 0)
    return colorize(half, *fabric.colors[:2])  # pyright: ignore[reportArgumentType]


def paint_tartan(fabric: Fabric, part: Part) -> ImageArray:
    """A tartan: one row of bands for warp and weft, mirrored about its middle."""
    ground, second, third = fabric.colors
    half: list[Band] = [(6, third), (12, ground), (4, second), (6, ground)]
    first, other = _crossed(fabric, part, [*half, (36, second), *half[::-1], (18, ground)])
    return cv2.addWeighted(first, 0.5, other, 0.5, 0)  # pyright: ignore[reportReturnType]


def paint_plaid(fabric: Fabric, part: Part) -> ImageArray:
    """Broad crossed bands with one line over them."""
    ground, second, third = fabric.colors
    first, other = _crossed(fabric, part, [(19, second), (12, third), (19, second), (50, ground)])
    return cv2.addWeighted(first, 0.5, other, 0.5, 0)  # pyright: ignore[reportReturnType]


def paint_windowpane(fabric: Fabric, part: Part) -> ImageArray:
    """Crossed lines on a plain ground."""
    first, second = _crossed(fabric, part, [(16, _ON), (84, _OFF)])
    return colorize(cv2.max(first, second), *fabric.colors[:2])  # pyright: ignore[reportArgumentType]


def paint_argyle(fabric: Fabric, part: Part) -> ImageArray:
    """Lozenges of two colors, their corners touching, and dashed lines across them left out."""
    steep = (58.0, -58.0)
    first, second = _crossed(fabric, part, _EVEN, steep)
    both = cv2.addWeighted(first, 0.5, second, 0.5, 0)
    ground, one, two = fabric.colors
    return colorize(both, two, ground, one)  # pyright: ignore[reportArgumentType]


@cache
def _houndstooth() -> NDArray[np.uint8]:
    """Four dark and four light threads both ways in a 2/2 twill, the steps of its edges smoothed: uint8 (256, 256)."""
    thread = np.arange(8)
    warp_on_top = (thread[None] + thread[:, None]) % 4 < 2
    dark = np.where(warp_on_top, thread[None] % 8 < 4, thread[:, None] % 8 < 4)
    large = np.kron(np.tile(dark, (2, 2)), np.ones((32, 32))).astype(np.float32)
    soft = cv2.GaussianBlur(large, (0, 0), 12)[128:384, 128:384]
    return (np.clip((soft - 0.5) * 9 + 0.5, 0, 1) * 255).astype(np.uint8)


def paint_houndstooth(fabric: Fabric, part: Part) -> ImageArray:
    """Broken checks with teeth."""
    side = max(round(fabric.period), 8)
    small = cv2.resize(_houndstooth(), (side, side), interpolation=cv2.INTER_AREA)
    return lay_tiles(colorize(small, *fabric.colors[:2]), fabric.angle, fabric.origin, part)  # pyright: ignore
