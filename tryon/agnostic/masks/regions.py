"""Operations on masks: label lookup, dilation, noise filters, half-planes, windows and resampling.

Masks are uint8 because OpenCV's lookup, dilation and logic on it take a tenth of NumPy's time on floats.
"""

from __future__ import annotations

import cmath
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

_MAX_RUNS = 5
"""Up to this number of runs, comparisons are faster than a lookup table, by seven times for one."""

Mask = NDArray[np.uint8]
"""uint8 (H, W) of 0 and 1."""

_ONES = {2: np.uint16(0x0101), 4: np.uint32(0x01010101)}
"""Words of two or four bytes that are 1."""


class Window(NamedTuple):
    """A rectangle of an image: slices of rows and columns, and its first pixel, x + yi."""

    slices: tuple[slice, slice]
    corner: complex

    def reduced(self, step: int) -> Window:
        """Return the rectangle in an image reduced by `step`; its edges are multiples of that."""
        rows, columns = (slice(edges.start // step, edges.stop // step) for edges in self.slices)
        return Window((rows, columns), self.corner / step)


FULL_IMAGE = Window((slice(None), slice(None)), 0j)


class LabelSet(NamedTuple):
    """A set of ids: a table (256,) with 1 for the ids, and runs of consecutive ids (the first, number that follow)."""

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
    """Return the pixels of `labels` (H, W) whose id is in the set."""
    if not 0 < len(ids.runs) <= _MAX_RUNS:
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
    """Dilate by a square of `radius` pixels (rounded, at least one) to every side."""
    return cast(Mask, cv2.dilate(region, square(2 * max(1, round(radius)) + 1)))


@lru_cache(64)
def square(side: int) -> Mask:
    """Return a structuring element of ones."""
    return np.ones((side, side), np.uint8)


def median_filter(region: Mask) -> Mask:
    """Filter noise by the majority of the 3x3 neighborhood, before dilation.

    It removes lines one pixel wide, so it is not for protected regions. It is for masks only: a median of ids would
    create ids along edges.
    """
    return cast(Mask, cv2.medianBlur(region, 3))


def remove_isolated_pixels(region: Mask) -> Mask:
    """Remove pixels with fewer than two of their eight neighbors in the region; thin lines stay."""
    counts = cv2.boxFilter(region, -1, (3, 3), normalize=False, borderType=cv2.BORDER_REPLICATE)
    return region & (counts > 2).view(np.uint8)


def invert(region: Mask) -> Mask:
    """Return the complement."""
    return np.bitwise_xor(region, np.uint8(1))


def subtract(a: Mask, b: Mask) -> Mask:
    """Return the pixels of `a` that are not in `b`; neither may have size 0."""
    return cast(Mask, cv2.subtract(a, b))


def apply_mask_rule(mask: Mask, coverage: Mask, protected: Mask, garment: Mask) -> None:
    """Apply the rule of every mask, in place: coverage is masked unless protected, the garment always.

    Args:
        mask: masked so far.
        coverage: what the new garment may cover in addition.
        protected: what stays visible.
        garment: the worn garment.
    """
    cv2.bitwise_or(mask, coverage, dst=mask)  # NumPy takes three times as long on a window of an image
    cv2.subtract(mask, protected, dst=mask)
    cv2.bitwise_or(mask, garment, dst=mask)


def half_plane(shape: tuple[int, int], left: complex, right: complex) -> Mask:
    """Return the pixels at or below the line through two points, x + yi.

    A line steeper than 45 degrees is replaced by the level of its middle. Unknown points (not finite) give an empty
    mask.
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
    """Return the bounding rectangle of a region with a margin, extended to multiples of `step`."""
    left, top, width, height = cv2.boundingRect(region)
    rows = _edges(top - margin, top + height + margin, step)
    columns = _edges(left - margin, left + width + margin, step)
    return Window((rows, columns), complex(columns.start, rows.start))


def _edges(first: int, end: int, step: int) -> slice:
    return slice(max(first // step * step, 0), -(-end // step) * step)


def upsample(region: Mask, step: int) -> Mask:
    """Repeat every pixel `step` (1, 2 or 4) times in both directions, as words: six times faster than a resize."""
    return region if step == 1 else np.repeat(region * _ONES[step], step, axis=0).view(np.uint8)


def subsample(labels: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    """Take one pixel of every block of `step` times `step` (1, 2 or 4), left of and above its middle.

    From files of 1024x768 it takes nearly the same pixels at 1024x768 and at 512x384. H and W are multiples of `step`.
    """
    if step == 1:
        return labels
    first = (step - 1) // 2
    words = np.ascontiguousarray(labels).view(_ONES[step].dtype)[first::step]  # four times as fast as bytes
    return (words >> (8 * first) if first else words).astype(np.uint8)


def apply_mask(photo: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Make the agnostic image: `photo` (H, W, 3) with the pixels of `mask` (H, W) black."""
    image = photo.copy()
    image[mask] = 0
    return image
