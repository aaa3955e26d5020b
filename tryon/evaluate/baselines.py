"""Answers that need no network, on the same rows: two that a model must beat before its number means anything.

A third, the ideal warp, is a bound from the other side. It comes with the rows, see `tryon.sample.oracle_warp`.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.metrics.image_pair import ImageBatch

WHITE, COLORLESS = 215, 16
"""A pixel is near white when all three channels reach the first and lie within the second of each other.

Shop pages are rarely pure white, and garments cast soft gray shadows on them. With 245 the shadows counted as garment,
which washed the mean color out and made the baseline 15 % worse on the twin than it has to be.
"""

LEAST_SHARE = 0.05
"""Less of the image than this is no garment but the label or the buttons of a white one; the twin's begin at 8 %."""

COPY, MEAN_COLOR, IDEAL = "copy", "mean_color", "oracle_warp"
"""Names of the baselines and the bound in every output."""


def masked_input(person: ImageBatch, mask: NDArray[np.bool_]) -> ImageBatch:
    """The masked image as it is: hidden pixels black. uint8 (N, H, W, 3), mask bool (N, H, W), True = hidden."""
    return np.where(mask[..., None], np.uint8(0), person)


def mean_color_fill(person: ImageBatch, mask: NDArray[np.bool_], garment: ImageBatch) -> ImageBatch:
    """The masked image with the garment's mean color in every hidden pixel."""
    colors = np.stack([mean_garment_color(one) for one in garment])
    return np.where(mask[..., None], colors[:, None, None], person)


def mean_garment_color(garment: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Mean color of the garment's pixels, uint8 (3,), rounded."""
    return garment[garment_pixels(garment)].mean(0).round().astype(np.uint8)


def garment_pixels(garment: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where the flat garment image, uint8 (H, W, 3), shows the garment, bool (H, W).

    Background is what is near white and connected, side by side, to the image's edge, unless it lies between
    garment pixels both along its row and along its column; so white that a pattern frames counts as garment. A white
    garment cannot be told from its background, so when less than `LEAST_SHARE` of the image is left, every pixel
    counts: the mean color is then white or nearly so, as it should be. What remains wrong is a white garment whose
    dark parts cover more than that and do not frame the white ones.
    """
    darkest, lightest = garment.min(-1), garment.max(-1)
    white = ((darkest >= WHITE) & (lightest - darkest <= COLORLESS)).astype(np.uint8)
    labels = cv2.connectedComponents(white, connectivity=4)[1]
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    shown = ~((white > 0) & np.isin(labels, edge))
    shown = _between(shown, 0) & _between(shown, 1)
    return shown if shown.mean() >= LEAST_SHARE else np.ones_like(shown)


def _between(shown: NDArray[np.bool_], axis: int) -> NDArray[np.bool_]:
    """Pixels that are shown, or have shown ones on both sides of them along the axis."""
    before = np.maximum.accumulate(shown, axis)
    after = np.flip(np.maximum.accumulate(np.flip(shown, axis), axis), axis)
    return before & after
