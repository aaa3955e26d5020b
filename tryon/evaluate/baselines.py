"""Compute the baselines without a network: masked input and mean-color fill.

The oracle warp, an upper bound, is stored with the rows; see `tryon.sample.oracle_warp`.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.metrics.image_pair import ImageBatch

MIN_WHITE, MAX_WHITE_SPREAD = 215, 16
"""A pixel is near white when all channels are at least `MIN_WHITE` and within `MAX_WHITE_SPREAD` of each other.

Product photos are rarely pure white and contain soft gray shadows. At 245 the shadows counted as garment, which made
the baseline 15 % worse on synthetic data.
"""

MIN_GARMENT_FRACTION = 0.05
"""Smaller areas are details of a white garment; synthetic garments cover at least 8 % of the image."""

MASKED_INPUT, MEAN_COLOR_FILL, ORACLE_WARP = "masked_input", "mean_color_fill", "oracle_warp"
"""Names of the baselines and of the upper bound in every output."""


def masked_input(person: ImageBatch, mask: NDArray[np.bool_]) -> ImageBatch:
    """Return the person image with masked pixels black: uint8 (N, H, W, 3), mask bool (N, H, W), True = masked."""
    return np.where(mask[..., None], np.uint8(0), person)


def mean_color_fill(person: ImageBatch, mask: NDArray[np.bool_], garment: ImageBatch) -> ImageBatch:
    """Return the person image with masked pixels in the garment's mean color."""
    colors = np.stack([mean_garment_color(image) for image in garment])
    return np.where(mask[..., None], colors[:, None, None], person)


def mean_garment_color(garment: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the rounded mean color of the garment's pixels, uint8 (3,)."""
    return garment[garment_pixels(garment)].mean(0).round().astype(np.uint8)


def garment_pixels(garment: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return the garment's pixels in its product image: uint8 (H, W, 3) to bool (H, W).

    Background is near-white, connected (4-neighborhood) to the image's edge, and not enclosed by garment pixels in both
    its row and its column. A white garment cannot be separated from the background: below `MIN_GARMENT_FRACTION` every
    pixel counts, so that the mean color is nearly white. Large dark parts of a white garment still bias the result.
    """
    darkest, lightest = garment.min(-1), garment.max(-1)
    white = ((darkest >= MIN_WHITE) & (lightest - darkest <= MAX_WHITE_SPREAD)).astype(np.uint8)
    labels = cv2.connectedComponents(white, connectivity=4)[1]
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    garment_mask = ~((white > 0) & np.isin(labels, edge))
    garment_mask = _fill_between(garment_mask, 0) & _fill_between(garment_mask, 1)
    return garment_mask if garment_mask.mean() >= MIN_GARMENT_FRACTION else np.ones_like(garment_mask)


def _fill_between(garment_mask: NDArray[np.bool_], axis: int) -> NDArray[np.bool_]:
    """Return pixels that are True, or have True pixels on both sides along the axis."""
    before = np.maximum.accumulate(garment_mask, axis)
    after = np.flip(np.maximum.accumulate(np.flip(garment_mask, axis), axis), axis)
    return before & after
