"""The pose picture: OpenPose joints drawn in colours on black, as the released network was trained to read it."""

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

COLOURS = (
    (0, 0, 255), (0, 85, 255), (0, 170, 255), (0, 255, 255), (0, 255, 170), (0, 255, 85), (0, 255, 0), (85, 255, 0),
    (170, 255, 0), (255, 255, 0), (255, 170, 0), (255, 85, 0), (255, 0, 0), (255, 0, 85), (255, 0, 170), (255, 0, 255),
    (170, 0, 255), (85, 0, 255),
)  # fmt: skip
"""RGB of joint i, and of limb i."""

STROKE = 4.0
"""Radius of a joint and half-width of a limb in pixels at a height of 256."""

SKELETON_STROKE = STROKE / 3
"""The stroke of the data set's own skeleton pictures."""

_TURN = np.linspace(0, 2 * np.pi, 33)[:-1, None]
_COSINES, _SINES = np.cos(_TURN), np.sin(_TURN)
_LIMB_WEIGHT = 0.6
_FAR = 16  # in longer sides of the picture
_SHIFT = 4  # fractional bits in OpenCV's drawing coordinates


def draw_pose(keypoints: NDArray[np.float32], size: tuple[int, int], stroke: float = STROKE) -> NDArray[np.uint8]:
    """Draw the pose picture.

    Args:
        keypoints: float (18, 3): x, y in pixels of `size`, score. Joints with a score of at most 0.01 are left out,
            with the limbs that end in them; places many pictures away count as nearer.
        size: (height, width) in pixels.
        stroke: radius of joints and half-width of limbs at a height of 256; scales with the height.

    Returns:
        uint8 (H, W, 3), RGB on black.
    """
    picture = np.zeros((*size, 3), np.uint8)
    radius = stroke * size[0] / 256
    seen = keypoints[:, 2] > MIN_SCORE
    places = np.clip(keypoints[:, :2], -_FAR * max(size), _FAR * max(size))  # OpenCV's coordinates have 32 bits
    for joint in np.flatnonzero(seen):
        centre = _fixed(places[joint])
        cv2.circle(picture, centre, round(radius * 2**_SHIFT), COLOURS[joint], cv2.FILLED, cv2.LINE_8, _SHIFT)
    for (start, end), colour in zip(LIMBS, COLOURS[: len(LIMBS)], strict=True):
        if seen[start] and seen[end]:
            _blend_limb(picture, places[start], places[end], radius, colour)
    return picture


def _blend_limb(picture: NDArray[np.uint8], start: NDArray, end: NDArray, radius: float, colour: tuple) -> None:
    """Lay an ellipse from joint to joint over the picture, 0.6 of its colour and 0.4 of what is there."""
    centre, half = (start + end) / 2, (end - start) / 2
    length = float(np.hypot(*half))
    along = half / length if length > 0 else np.array([1.0, 0.0])
    across = np.array([-along[1], along[0]])
    outline = centre + _COSINES * along * max(length, radius) + _SINES * across * radius
    low = np.clip(np.floor(outline.min(0)), 0, None).astype(int)
    high = np.minimum(np.ceil(outline.max(0)).astype(int) + 1, (picture.shape[1], picture.shape[0]))
    if (low >= high).any():
        return
    window = picture[low[1] : high[1], low[0] : high[0]]
    stencil = np.zeros(window.shape[:2], np.uint8)
    cv2.fillConvexPoly(stencil, np.round((outline - low) * 2**_SHIFT).astype(np.int32), 1, cv2.LINE_8, _SHIFT)
    whole = np.empty_like(window)
    cv2.rectangle(whole, (0, 0), (window.shape[1], window.shape[0]), colour, cv2.FILLED)
    painted = cv2.addWeighted(window, 1 - _LIMB_WEIGHT, whole, _LIMB_WEIGHT, 0)
    cv2.copyTo(painted, stencil, window)


def _fixed(point: NDArray) -> tuple[int, int]:
    x, y = np.round(point * 2**_SHIFT).astype(int)
    return int(x), int(y)
