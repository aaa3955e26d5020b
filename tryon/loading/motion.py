"""Shift, rotation and scale of a person with mask and key points, or of a garment.

What a moved picture is made of is read off with it: a pixel mixed from several is hidden as soon as one of them is, so
nothing of the garment gets past the mask's edge.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_BORDER = cv2.BORDER_REPLICATE  # legs and backgrounds that are cut off go on, which is more natural than a mirror image


@dataclass(frozen=True)
class Motion:
    """A motion of the picture plane.

    Args:
        right, down: shift in pixels.
        turn: rotation about the picture's centre in degrees, clockwise as one sees it.
        scale: factor about the centre.
    """

    right: float
    down: float
    turn: float
    scale: float


def affine(motion: Motion, size: tuple[int, int]) -> NDArray[np.float64]:
    """The motion as (2, 3): a place (x, y, 1) in pixels of `size` = (height, width) goes to its product with it."""
    centre = np.array([size[1] - 1, size[0] - 1]) / 2
    angle = np.deg2rad(motion.turn)
    linear = motion.scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = np.array([motion.right, motion.down])
    return np.column_stack([linear, centre + shift - linear @ centre])


class Mover:
    """A motion laid out over pictures of one size."""

    def __init__(self, motion: Motion, size: tuple[int, int]) -> None:
        self._forward = affine(motion, size)
        (a, b, c), (d, e, f) = cv2.invertAffineTransform(self._forward)
        columns, rows = np.arange(size[1], dtype=np.float32), np.arange(size[0], dtype=np.float32)[:, None]
        x, y = (np.float32(p) * columns + (np.float32(q) * rows + np.float32(r)) for p, q, r in ((a, b, c), (d, e, f)))
        self._maps = cv2.convertMaps(x, y, cv2.CV_16SC2)

    def picture(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Move uint8 (H, W, 3), bilinear; beyond the edge its last pixels go on."""
        return cv2.remap(picture, *self._maps, cv2.INTER_LINEAR, borderMode=_BORDER).astype(np.uint8, copy=False)

    def masks(
        self, hidden: NDArray[np.bool_], region: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Move what is hidden and another region, bool (H, W) each.

        Hidden is then every pixel that is mixed from four of which one was; the region is what it makes up at least
        half of.
        """
        whole, _ = self._maps  # upper left one of the four
        reach = cv2.dilate(hidden.view(np.uint8), np.ones((2, 2), np.uint8), anchor=(0, 0))
        touched = cv2.remap(reach, whole, None, cv2.INTER_NEAREST, borderMode=_BORDER)  # pyright: ignore
        shares = cv2.remap(region.view(np.uint8) * np.uint8(255), *self._maps, cv2.INTER_LINEAR, borderMode=_BORDER)
        return touched.astype(np.bool_), shares >= 128

    def keypoints(self, keypoints: NDArray[np.float32]) -> NDArray[np.float32]:
        """Move key points, float32 (18, 3): x, y, score. Joints that are missing (score 0) keep their coordinates."""
        moved = keypoints.copy()
        seen = keypoints[:, 2] > 0
        moved[seen, :2] = keypoints[seen, :2] @ self._forward[:, :2].T + self._forward[:, 2]
        return moved
