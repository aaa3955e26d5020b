"""Regions of a image as uint8 maps of 0 and 1: look-up, growth, specks, what lies below a line, painting black.

uint8 and not bool because OpenCV's look-up, dilation and logic on it cost a tenth of NumPy's on floats.
"""

from __future__ import annotations

import cmath
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

_FEW = 5
"""Up to this many runs, comparing with each is faster than a look-up table, by seven times for one."""

Mask = NDArray[np.uint8]
"""uint8 (H, W) of 0 and 1."""


_ONES = {2: np.uint16(0x0101), 4: np.uint32(0x01010101)}
"""Words whose bytes are 1, by how many there are."""


class Window(NamedTuple):
    """A rectangle of a image.

    Args:
        window: to index with.
        corner: its first pixel, x + yi.
    """

    window: tuple[slice, slice]
    corner: complex

    def reduced(self, step: int) -> Window:
        """The rectangle in a image in which one pixel stands for `step` each way; its edges are multiples of that."""
        rows, columns = (slice(edges.start // step, edges.stop // step) for edges in self.window)
        return Window((rows, columns), self.corner / step)


WHOLE = Window((slice(None), slice(None)), 0j)
"""All of a image."""


class LabelSet(NamedTuple):
    """A set of ids, ready to be looked up in a map of them.

    Args:
        table: uint8 (256,), 1 for the ids.
        runs: the ids as runs of neighbors: the first, and how many follow it.
    """

    table: NDArray[np.uint8]
    runs: tuple[tuple[np.uint8, np.uint8], ...]


def label_set(ids: Iterable[int]) -> LabelSet:
    """Prepare a set of ids 0..255."""
    table = np.zeros(256, np.uint8)
    table[list(ids)] = 1
    steps = np.diff(np.pad(table.astype(np.int8), 1))
    first, after = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    runs = [(np.uint8(low), np.uint8(high - 1 - low)) for low, high in zip(first, after, strict=True)]
    return LabelSet(table, tuple(runs))


def labels_in(labels: NDArray[np.uint8], ids: LabelSet) -> Mask:
    """Pixels of `labels` (H, W) whose id is in the set."""
    if not 0 < len(ids.runs) <= _FEW:
        return cast(Mask, cv2.LUT(labels, ids.table))
    region = _in_run(labels, *ids.runs[0])
    for run in ids.runs[1:]:
        region |= _in_run(labels, *run)
    return region


def _in_run(labels: NDArray[np.uint8], low: np.uint8, more: np.uint8) -> Mask:
    if not more:
        return (labels == low).view(np.uint8)
    above = labels - low  # below `low` wraps to high
    np.less_equal(above, more, out=above.view(np.bool_))
    return above


def dilate(region: Mask, radius: float) -> Mask:
    """Dilate by a rectangle that reaches `radius` pixels (rounded, at least one) to every side."""
    return cast(Mask, cv2.dilate(region, square(2 * max(1, round(radius)) + 1)))


@lru_cache(64)
def square(side: int) -> Mask:
    """Structuring element of ones."""
    return np.ones((side, side), np.uint8)


def median_filter(region: Mask) -> Mask:
    """Every pixel as most of its 3x3 neighborhood is. What is grown or widened goes through it first.

    A line one pixel wide is lost, too, so it is not for what is kept. And it is for regions: a median of ids would
    put ids along an edge that belong to neither side.
    """
    return cast(Mask, cv2.medianBlur(region, 3))


def remove_isolated_pixels(region: Mask) -> Mask:
    """The region without pixels that have fewer than two of their eight neighbors in it; thin lines stay."""
    counts = cv2.boxFilter(region, -1, (3, 3), normalize=False, borderType=cv2.BORDER_REPLICATE)
    return region & (counts > 2).view(np.uint8)


def invert(region: Mask) -> Mask:
    """The rest of the image."""
    return np.bitwise_xor(region, np.uint8(1))


def subtract(region: Mask, other: Mask) -> Mask:
    """The pixels of a region that are not in another, neither of them empty of pixels: a difference that stops at 0."""
    return cast(Mask, cv2.subtract(region, other))


def apply_mask_rule(mask: Mask, reach: Mask, kept: Mask, garment: Mask) -> None:
    """The rule of every mask, in place: what the garment may cover is hidden unless it is to be kept; the garment
    always is.

    Args:
        mask: what is hidden so far.
        reach: what the garment may cover besides.
        kept: what is to be kept.
        garment: what is worn.
    """
    cv2.bitwise_or(mask, reach, dst=mask)  # not NumPy, which takes three times as long on a window of a image
    cv2.subtract(mask, kept, dst=mask)
    cv2.bitwise_or(mask, garment, dst=mask)


def half_plane(shape: tuple[int, int], left: complex, right: complex) -> Mask:
    """Pixels at or below the straight line through two points, x + yi, extended to both edges of the image.

    A line that is steeper than 45 degrees, or whose ends are unknown (not finite), gives the level of its middle, or
    nothing at all.
    """
    height, width = shape
    middle, run = (left + right) / 2, right - left
    if not cmath.isfinite(middle):
        return np.zeros(shape, np.uint8)
    slope = run.imag / run.real if abs(run.real) > abs(run.imag) else 0.0
    level = middle.imag + slope * (np.arange(width) - middle.real)
    first = np.minimum(np.maximum(np.ceil(level), 0), height).astype(np.int16)
    return (np.arange(height, dtype=np.int16)[:, None] >= first).view(np.uint8)  # int16 compares ten times as fast


def bounding_window(region: Mask, margin: int = 0, step: int = 1) -> Window:
    """The rectangle around a region with a margin, its edges moved out to multiples of `step`."""
    left, top, width, height = cv2.boundingRect(region)
    rows = _edges(top - margin, top + height + margin, step)
    columns = _edges(left - margin, left + width + margin, step)
    return Window((rows, columns), complex(columns.start, rows.start))


def _edges(first: int, end: int, step: int) -> slice:
    return slice(max(first // step * step, 0), -(-end // step) * step)


def upsample(region: Mask, step: int) -> Mask:
    """Every pixel `step` times, each way: 1, 2 or 4. As words of so many bytes it is six times faster than a resize."""
    return region if step == 1 else np.repeat(region * _ONES[step], step, axis=0).view(np.uint8)


def subsample(labels: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    """One pixel of every block of `step` times `step`, 1, 2 or 4: left of and above its middle.

    Of files of 1024x768 it takes nearly the same pixels at 1024x768 and at 512x384.

    Args:
        labels: uint8 (H, W), both multiples of `step`.
        step: how many.
    """
    if step == 1:
        return labels
    first = (step - 1) // 2
    words = np.ascontiguousarray(labels).view(_ONES[step].dtype)[first::step]  # four times as fast as bytes
    return (words >> (8 * first) if first else words).astype(np.uint8)


def apply_mask(photo: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The agnostic image: `photo` (H, W, 3) with the pixels of `mask` (H, W) black (0, 0, 0)."""
    image = photo.copy()
    image[mask] = 0
    return image
