"""Shift, rotation and scale of a person with mask and key points, or of a garment.

What a moved image is made of is read off with it: a pixel mixed from several is hidden as soon as one of them is, so
nothing of the garment gets past the mask's edge.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.dresscode.labels import Joint

_BORDER = cv2.BORDER_REPLICATE  # legs and backgrounds that are cut off go on, which is more natural than a mirror image


@dataclass(frozen=True)
class AffineParams:
    """A motion of the image plane.

    Args:
        right, down: shift in pixels.
        turn: rotation about the image's center in degrees, clockwise as one sees it.
        scale: factor about the center.
    """

    right: float
    down: float
    turn: float
    scale: float


def affine_matrix(motion: AffineParams, size: tuple[int, int]) -> NDArray[np.float64]:
    """The motion as (2, 3): a place (x, y, 1) in pixels of `size` = (height, width) goes to its product with it."""
    center = np.array([size[1] - 1, size[0] - 1]) / 2
    angle = np.deg2rad(motion.turn)
    linear = motion.scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = np.array([motion.right, motion.down])
    return np.column_stack([linear, center + shift - linear @ center])


class AffineTransform:
    """A motion laid out over images of one size."""

    def __init__(self, motion: AffineParams, size: tuple[int, int]) -> None:
        self._forward = affine_matrix(motion, size)
        (a, b, c), (d, e, f) = cv2.invertAffineTransform(self._forward)
        columns, rows = np.arange(size[1], dtype=np.float32), np.arange(size[0], dtype=np.float32)[:, None]
        x, y = (np.float32(p) * columns + (np.float32(q) * rows + np.float32(r)) for p, q, r in ((a, b, c), (d, e, f)))
        self._maps = cv2.convertMaps(x, y, cv2.CV_16SC2)

    def image(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Move uint8 (H, W, 3), bilinear; beyond the edge its last pixels go on."""
        return cv2.remap(image, *self._maps, cv2.INTER_LINEAR, borderMode=_BORDER).astype(np.uint8, copy=False)

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


def dilate_mask(mask: NDArray[np.bool_], radius: float) -> NDArray[np.bool_]:
    """The mask, bool (H, W), with all pixels within `radius` pixels of it; an empty one stays empty."""
    if radius <= 0 or not mask.any():
        return mask
    distance = cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    return distance <= radius


_PATCHES = (2, 5, 12, 30)  # along the height, from coarse to fine
_DRAWN_AT = 64  # rows: what is behind a person is out of focus
_RIM = np.ones((3, 3), np.uint8)


def random_scene(size: tuple[int, int], seed: int) -> NDArray[np.uint8]:
    """A background drawn at random: soft patches of color, coarse and fine; uint8 (H, W, 3).

    Args:
        size: (height, width).
        seed: gives the same scene again.
    """
    rng = np.random.default_rng(seed)
    small = (_DRAWN_AT, max(1, round(_DRAWN_AT * size[1] / size[0])))
    scene = np.full((*small, 3), rng.uniform(40, 230) + rng.normal(0, 20, 3), np.float32)
    for patches in _PATCHES:
        shape = (patches, max(1, round(patches * size[1] / size[0])), 1)
        shades, tints = rng.normal(0, rng.uniform(0, 30), shape), rng.normal(0, rng.uniform(0, 15), (*shape[:2], 3))
        coarse = (shades + tints).astype(np.float32)
        scene += cv2.resize(coarse, small[::-1], interpolation=cv2.INTER_CUBIC)
    drawn = scene.clip(0, 255).astype(np.uint8)
    return cv2.resize(drawn, size[::-1], interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


def replace_background(
    person: NDArray[np.uint8], background: NDArray[np.bool_], mask: NDArray[np.bool_], scene: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Put a person before another background.

    The outermost pixel of what stays is mixed with the old background, so it goes too. Where the mask ends it stays:
    the outline of what is hidden must not show in what is seen.

    Args:
        person, scene: uint8 (H, W, 3).
        background, mask: bool (H, W), True = background, True = hidden.

    Returns:
        uint8 (H, W, 3).
    """
    seen = (background & ~mask).view(np.uint8)
    rim = cv2.dilate(seen, _RIM).astype(np.bool_) & ~mask
    replaced = person.copy()
    cv2.copyTo(scene, (background | rim).view(np.uint8), replaced)
    return replaced


_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
_GREY = np.tile(_LUMA, (3, 1))
_MIDDLE = 127.5


def color_matrix(brightness: float, contrast: float, saturation: float, hue: float) -> NDArray[np.float32]:
    """The map, float32 (3, 4): a color (r, g, b, 1) in 0..255 goes to its product with it.

    Args:
        brightness: factor on all values; 1 leaves them.
        contrast: factor on the distance from middle gray; 1 leaves it.
        saturation: factor on the distance from the pixel's own gray; 0 gives gray, 1 leaves it.
        hue: turn of the color circle as a share of it; 0 leaves it. Greys and their brightness stay.
    """
    color = _GREY + saturation * (_turn(2 * np.pi * hue) - _GREY)
    factors = contrast * brightness * color
    return np.column_stack([factors, np.full(3, _MIDDLE * (1 - contrast))]).astype(np.float32)


def jitter(image: NDArray[np.uint8], colors: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Apply a color map to uint8 (H, W, 3) RGB; what falls outside 0..255 is cut off."""
    return cv2.transform(image, colors).astype(np.uint8, copy=False)


def _turn(angle: float) -> NDArray[np.float64]:
    """Turn colors around the gray axis, by `angle`, in the plane of equal luma (YIQ), (3, 3)."""
    to_yiq = np.array([_LUMA, [0.595716, -0.274453, -0.321263], [0.211456, -0.522591, 0.311135]])
    cosine, sine = np.cos(angle), np.sin(angle)
    turn = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    return np.linalg.solve(to_yiq, turn @ to_yiq)


MIRROR_JOINTS = np.array(
    [
        Joint[joint.name.replace("RIGHT", "LEFT") if "RIGHT" in joint.name else joint.name.replace("LEFT", "RIGHT")]
        for joint in Joint
    ]
)
"""Position i holds the joint that joint i becomes in a mirror."""


def mirror_keypoints(keypoints: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Key points of the mirrored image: the wearer's right wrist becomes the left one, at the mirrored place.

    Args:
        keypoints: float (18, 3): x, y in pixels, score. Joints that are missing (score 0) keep their coordinates.
        width: of the image, in pixels.

    Returns:
        float32 (18, 3). Mirroring twice gives back what went in.
    """
    mirrored = keypoints[MIRROR_JOINTS].astype(np.float32)
    seen = mirrored[:, 2] > 0
    mirrored[seen, 0] = width - 1 - mirrored[seen, 0]
    return mirrored
