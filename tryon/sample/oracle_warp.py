"""The ideal warp: what a try-on shows that moves the garment image's own pixels perfectly, and errs nowhere else.

Along the true flow every pixel of the garment on the body takes the color of its thread in the garment image. All
that is not the garment stays as it is in the true image: skin and background that the mask hides, and hair or an arm
in front of the garment. So the error that is left is what no warp of those pixels can know: light, shadow and folds on
the body. A network that also repaints what it has moved may go below it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.dresscode.readers import Size, resize_photo

SEEN = 1
"""Cover of a pixel at which the garment is seen, see `tryon.synthetic.ground_truth_io`."""


def oracle_warp(
    garment: NDArray[np.uint8],
    known: tuple[NDArray[np.float32], NDArray[np.uint8]],
    true: NDArray[np.uint8],
    size: Size,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Warp the garment onto the true image, both at full size, and bring the result to the working size.

    Args:
        garment: the garment image, uint8 (H, W, 3), RGB.
        known: flow, float32 (H, W, 2), for every pixel of the true image x and y in the garment image; and cover,
            uint8 (H, W), which is `SEEN` where that counts.
        true: the true image, uint8 (H, W, 3).
        size: height h and width w wanted.

    Returns:
        The image, uint8 (h, w, 3), and which of its pixels show any of the warped garment, bool (h, w).
    """
    flow, cover = known
    seen = (cover == SEEN).astype(np.uint8)
    moved = cv2.remap(garment, flow, None, cv2.INTER_LINEAR)  # pyright: ignore[reportCallIssue, reportArgumentType]
    whole = cv2.copyTo(moved, seen, true.copy()).astype(np.uint8, copy=False)
    touched = cv2.resize(seen.astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA) > 0
    return resize_photo(whole, size), touched
