"""Draw the pose image: OpenPose joints and limbs in colors on black, as the published network was trained on."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.dresscode.labels import MIN_SCORE

LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10),
    (1, 11), (11, 12), (12, 13), (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
"""Pairs of joints, in drawing order."""

COLORS = (
    (0, 0, 255), (0, 85, 255), (0, 170, 255), (0, 255, 255), (0, 255, 170), (0, 255, 85), (0, 255, 0), (85, 255, 0),
    (170, 255, 0), (255, 255, 0), (255, 170, 0), (255, 85, 0), (255, 0, 0), (255, 0, 85), (255, 0, 170), (255, 0, 255),
    (170, 0, 255), (85, 0, 255),
)  # fmt: skip
"""RGB of joint i, and of limb i."""

STROKE = 4.0
"""Radius of a joint and half-width of a limb in pixels at a height of 256."""

SKELETON_STROKE = STROKE / 3
"""Stroke of the data set's skeleton images."""

_TURN = np.linspace(0, 2 * np.pi, 33)[:-1, None]
_COSINES, _SINES = np.cos(_TURN), np.sin(_TURN)
_STARTS, _ENDS = np.array(LIMBS).T
_LIMB_WEIGHT = 0.6
_MAX_DISTANCE = 16  # of joints, in longer sides of the image: OpenCV's coordinates have 32 bits
_SHIFT = 4  # fractional bits in OpenCV's drawing coordinates


def draw_pose(keypoints: NDArray[np.float32], size: tuple[int, int], stroke: float = STROKE) -> NDArray[np.uint8]:
    """Draw the pose image.

    Args:
        keypoints: float (18, 3): x, y in pixels of `size`, score. Joints with a score of at most 0.01 and their limbs
            are left out; points many images away are clipped.
        size: (height, width) in pixels.
        stroke: radius of joints and half-width of limbs at a height of 256; scales with the height.

    Returns:
        uint8 (H, W, 3), RGB on black.
    """
    image = np.zeros((*size, 3), np.uint8)
    radius = stroke * size[0] / 256
    detected = (keypoints[:, 2] > MIN_SCORE).tolist()
    limit = _MAX_DISTANCE * max(size)
    points = np.clip(keypoints[:, :2], -limit, limit)
    centers, fixed_radius = _fixed_point(points).tolist(), round(radius * 2**_SHIFT)
    for center, color, visible in zip(centers, COLORS, detected, strict=True):
        if visible:
            cv2.circle(image, center, fixed_radius, color, cv2.FILLED, cv2.LINE_8, _SHIFT)
    outlines = _outlines(points[_STARTS], points[_ENDS], radius)
    lows = np.clip(np.floor(outlines.min(1)), 0, None).astype(int)
    highs = np.minimum(np.ceil(outlines.max(1)).astype(int) + 1, (size[1], size[0]))
    polygons = _fixed_point(outlines - lows[:, None])
    limbs = zip(LIMBS, lows.tolist(), highs.tolist(), polygons, COLORS[: len(LIMBS)], strict=True)
    for (start, end), (left, top), (right, bottom), polygon, color in limbs:
        if detected[start] and detected[end] and left < right and top < bottom:
            _blend_limb(image[top:bottom, left:right], polygon, color)
    return image


def _outlines(starts: NDArray, ends: NDArray, radius: float) -> NDArray[np.float64]:
    """Compute ellipses from joints (n, 2) to joints (n, 2) as polygons, (n, 32, 2)."""
    centers, halves = (starts + ends) / 2, (ends - starts) / 2
    lengths = np.hypot(halves[:, 0], halves[:, 1])[:, None]
    along = np.divide(halves, lengths, out=np.zeros_like(halves), where=lengths > 0)
    along[lengths[:, 0] == 0, 0] = 1
    across = np.stack([-along[:, 1], along[:, 0]], 1)
    reach = np.maximum(lengths.astype(np.float64), radius)[:, None]
    return centers[:, None] + _COSINES * along[:, None] * reach + _SINES * across[:, None] * radius


def _blend_limb(window: NDArray[np.uint8], polygon: NDArray[np.int32], color: tuple[int, int, int]) -> None:
    """Blend a limb into a window of the image, 0.6 of its color and 0.4 of the image."""
    stencil = np.zeros(window.shape[:2], np.uint8)
    cv2.fillConvexPoly(stencil, polygon, 1, cv2.LINE_8, _SHIFT)
    solid = np.empty_like(window)
    cv2.rectangle(solid, (0, 0), (window.shape[1], window.shape[0]), color, cv2.FILLED)
    blended = cv2.addWeighted(window, 1 - _LIMB_WEIGHT, solid, _LIMB_WEIGHT, 0)
    cv2.copyTo(blended, stencil, window)


def _fixed_point(points: NDArray) -> NDArray[np.int32]:
    return np.round(points * 2**_SHIFT).astype(np.int32)
