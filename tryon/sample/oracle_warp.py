"""Compute the oracle warp: the result of a try-on whose only operation is a perfect warp of the garment image.

Along the true flow every pixel of the garment on the body takes the color of its point in the garment image. All other
pixels are those of the ground truth: masked skin and background, and hair or an arm in front of the garment. The
remaining error is what no warp can know: light, shadow and folds on the body. A network that also repaints the warped
garment may be better.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.dresscode.readers import Size, resize_photo

VISIBLE = 1
"""Cover value of pixels where the garment is visible, see `tryon.synthetic.ground_truth_io`."""


def oracle_warp(
    garment: NDArray[np.uint8],
    flow_and_cover: tuple[NDArray[np.float32], NDArray[np.uint8]],
    truth: NDArray[np.uint8],
    size: Size,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Warp the garment onto the ground truth at full size, and resize the result.

    Args:
        garment: the garment image, uint8 (H, W, 3), RGB.
        flow_and_cover: flow, float32 (H, W, 2), x and y in the garment image for each pixel of the ground truth; and
            cover, uint8 (H, W), `VISIBLE` where the flow is used.
        truth: the ground truth, uint8 (H, W, 3).
        size: height h and width w of the result.

    Returns:
        The image, uint8 (h, w, 3), and which of its pixels contain any of the warped garment, bool (h, w).
    """
    flow, cover = flow_and_cover
    visible = (cover == VISIBLE).astype(np.uint8)
    warped = cv2.remap(garment, flow, None, cv2.INTER_LINEAR)  # pyright: ignore[reportCallIssue, reportArgumentType]
    image = cv2.copyTo(warped, visible, truth.copy()).astype(np.uint8, copy=False)
    contains_garment = cv2.resize(visible.astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA) > 0
    return resize_photo(image, size), contains_garment
