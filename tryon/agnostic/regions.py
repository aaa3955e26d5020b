"""Regions of a picture as uint8 maps of 0 and 1: look-up, growth, specks, what lies below a line, painting black.

uint8 and not bool because OpenCV's look-up, dilation and logic on it cost a tenth of NumPy's on floats.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

_FEW = 5
"""Up to this many runs, comparing with each is faster than a look-up table, by seven times for one."""

Region = NDArray[np.uint8]
"""uint8 (H, W) of 0 and 1."""


class Ids(NamedTuple):
    """A set of ids, ready to be looked up in a map of them.

    Args:
        table: uint8 (256,), 1 for the ids.
        runs: the ids as runs of neighbours: the first, and how many follow it.
    """

    table: NDArray[np.uint8]
    runs: tuple[tuple[np.uint8, np.uint8], ...]


def ids_of(ids: Iterable[int]) -> Ids:
    """Prepare a set of ids 0..255."""
    table = np.zeros(256, np.uint8)
    table[list(ids)] = 1
    steps = np.diff(np.pad(table.astype(np.int8), 1))
    first, after = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    runs = [(np.uint8(low), np.uint8(high - 1 - low)) for low, high in zip(first, after, strict=True)]
    return Ids(table, tuple(runs))


def look_up(labels: NDArray[np.uint8], ids: Ids) -> Region:
    """Pixels of `labels` (H, W) whose id is in the set."""
    if not 0 < len(ids.runs) <= _FEW:
        return cast(Region, cv2.LUT(labels, ids.table))
    region, *others = ((labels - low <= more).view(np.uint8) for low, more in ids.runs)  # below `low` wraps to high
    for other in others:
        region |= other
    return region


def grow(region: Region, radius: float) -> Region:
    """Dilate by a rectangle that reaches `radius` pixels (rounded, at least one) to every side."""
    side = 2 * max(1, round(radius)) + 1
    return cast(Region, cv2.dilate(region, cv2.getStructuringElement(cv2.MORPH_RECT, (side, side))))


def without_specks(region: Region) -> Region:
    """Every pixel as most of its 3x3 neighbourhood is. What is grown or widened goes through it first.

    A line one pixel wide is lost, too, so it is not for what is kept. And it is for regions: a median of ids would
    put ids along an edge that belong to neither side.
    """
    return cast(Region, cv2.medianBlur(region, 3))


def without_lone_pixels(region: Region) -> Region:
    """The region without pixels that have fewer than two of their eight neighbours in it; thin lines stay."""
    counts = cv2.boxFilter(region, -1, (3, 3), normalize=False, borderType=cv2.BORDER_REPLICATE)
    return region & (counts > 2).view(np.uint8)


def outside(region: Region) -> Region:
    """The rest of the picture."""
    return np.bitwise_xor(region, np.uint8(1))


def hidden(reach: Region, kept: Region, garment: Region) -> Region:
    """The rule of every mask: what the garment may cover is hidden unless it is to be kept; the garment always is."""
    return reach & outside(kept) | garment


def below(shape: tuple[int, int], left: NDArray[np.floating], right: NDArray[np.floating]) -> Region:
    """Pixels at or below the straight line through two points (x, y), extended to both edges of the picture.

    A line that is steeper than 45 degrees, or whose ends are unknown (not finite), gives the level of its middle, or
    nothing at all.
    """
    height, width = shape
    middle, run = (left + right) / 2, right - left
    if not np.isfinite(middle).all():
        return np.zeros(shape, np.uint8)
    slope = run[1] / run[0] if abs(run[0]) > abs(run[1]) else 0.0
    level = middle[1] + slope * (np.arange(width) - middle[0])
    first = np.clip(np.ceil(level), 0, height).astype(np.int16)  # small whole numbers compare ten times as fast
    return (np.arange(height, dtype=np.int16)[:, None] >= first).view(np.uint8)


def apply_mask(photo: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The agnostic picture: `photo` (H, W, 3) with the pixels of `mask` (H, W) black (0, 0, 0)."""
    picture = photo.copy()
    picture[mask] = 0
    return picture
