"""Augmentations of decoded images: affine transforms, mirroring, mask dilation, backgrounds and colors."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.dresscode.labels import Joint

_BORDER = cv2.BORDER_REPLICATE  # cropped legs and backgrounds continue, which is more natural than a reflection

_SCENE_HEIGHT = 64  # drawn small and enlarged: backgrounds are out of focus
_PATCHES_PER_HEIGHT = (2, 5, 12, 30)
_RIM_KERNEL = np.ones((3, 3), np.uint8)

_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
_TO_GRAY = np.tile(_LUMA, (3, 1))
_TO_YIQ = np.array([_LUMA, [0.595716, -0.274453, -0.321263], [0.211456, -0.522591, 0.311135]])
_MIDDLE_GRAY = 127.5

MIRROR_JOINTS = np.array(
    [
        Joint[joint.name.replace("RIGHT", "LEFT") if "RIGHT" in joint.name else joint.name.replace("LEFT", "RIGHT")]
        for joint in Joint
    ]
)
"""Entry i is the joint that takes the position of joint i in a mirrored image."""


@dataclass(frozen=True)
class AffineParams:
    """Parameters of an affine transform.

    Args:
        translate_x, translate_y: in pixels, to the right and down.
        rotate_deg: clockwise, about the image's center.
        scale: factor about the center.
    """

    translate_x: float
    translate_y: float
    rotate_deg: float
    scale: float


def affine_matrix(params: AffineParams, size: tuple[int, int]) -> NDArray[np.float64]:
    """Return the (2, 3) matrix that maps (x, y, 1) in pixels of `size` = (height, width)."""
    center = np.array([size[1] - 1, size[0] - 1]) / 2
    angle = np.deg2rad(params.rotate_deg)
    linear = params.scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = np.array([params.translate_x, params.translate_y])
    return np.column_stack([linear, center + shift - linear @ center])


class AffineTransform:
    """An affine transform of images, masks and key points of one size (height, width)."""

    def __init__(self, params: AffineParams, size: tuple[int, int]) -> None:
        self._forward = affine_matrix(params, size)
        (a, b, c), (d, e, f) = cv2.invertAffineTransform(self._forward)
        columns, rows = np.arange(size[1], dtype=np.float32), np.arange(size[0], dtype=np.float32)[:, None]
        x, y = (np.float32(p) * columns + (np.float32(q) * rows + np.float32(r)) for p, q, r in ((a, b, c), (d, e, f)))
        self._maps = cv2.convertMaps(x, y, cv2.CV_16SC2)

    def image(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Transform uint8 (H, W, 3), bilinear; the border is replicated."""
        return cv2.remap(image, *self._maps, cv2.INTER_LINEAR, borderMode=_BORDER).astype(np.uint8, copy=False)

    def masks(self, mask: NDArray[np.bool_], region: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Transform the agnostic mask and another region, bool (H, W) each.

        A pixel is masked if any of the four pixels that it is interpolated from is masked, so that no garment leaks
        past the mask's edge. It belongs to the region if that makes up at least half of it.
        """
        upper_left, _ = self._maps
        dilated = cv2.dilate(mask.view(np.uint8), np.ones((2, 2), np.uint8), anchor=(0, 0))
        masked = cv2.remap(dilated, upper_left, None, cv2.INTER_NEAREST, borderMode=_BORDER)  # pyright: ignore
        fraction = cv2.remap(region.view(np.uint8) * np.uint8(255), *self._maps, cv2.INTER_LINEAR, borderMode=_BORDER)
        return masked.astype(np.bool_), fraction >= 128

    def keypoints(self, keypoints: NDArray[np.float32]) -> NDArray[np.float32]:
        """Transform key points, float32 (18, 3): x, y, score. Missing joints (score 0) keep their coordinates."""
        moved = keypoints.copy()
        detected = keypoints[:, 2] > 0
        moved[detected, :2] = keypoints[detected, :2] @ self._forward[:, :2].T + self._forward[:, 2]
        return moved


def mirror_keypoints(keypoints: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Mirror key points, (18, 3), in an image of `width` pixels: left and right joints are exchanged.

    Missing joints (score 0) keep their coordinates.
    """
    mirrored = keypoints[MIRROR_JOINTS].astype(np.float32)
    detected = mirrored[:, 2] > 0
    mirrored[detected, 0] = width - 1 - mirrored[detected, 0]
    return mirrored


def dilate_mask(mask: NDArray[np.bool_], radius: float) -> NDArray[np.bool_]:
    """Add all pixels within `radius` pixels to a mask, bool (H, W)."""
    if radius <= 0 or not mask.any():
        return mask
    distance = cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    return distance <= radius


def random_scene(size: tuple[int, int], seed: int) -> NDArray[np.uint8]:
    """Draw a random background of soft color patches, coarse to fine: uint8 (H, W, 3) for `size` = (height, width)."""
    rng = np.random.default_rng(seed)
    small = (_SCENE_HEIGHT, max(1, round(_SCENE_HEIGHT * size[1] / size[0])))
    scene = np.full((*small, 3), rng.uniform(40, 230) + rng.normal(0, 20, 3), np.float32)
    for patches in _PATCHES_PER_HEIGHT:
        shape = (patches, max(1, round(patches * size[1] / size[0])), 1)
        shades, tints = rng.normal(0, rng.uniform(0, 30), shape), rng.normal(0, rng.uniform(0, 15), (*shape[:2], 3))
        coarse = (shades + tints).astype(np.float32)
        scene += cv2.resize(coarse, small[::-1], interpolation=cv2.INTER_CUBIC)
    clipped = scene.clip(0, 255).astype(np.uint8)
    return cv2.resize(clipped, size[::-1], interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


def replace_background(
    person: NDArray[np.uint8], background: NDArray[np.bool_], mask: NDArray[np.bool_], scene: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Replace the background of a person by a scene; images are uint8 (H, W, 3), masks bool (H, W).

    The person's outermost pixel is blended with the old background, so it is replaced too. At the edge of the
    agnostic mask it is not: the outline of the masked garment must not show in the visible image.
    """
    visible = (background & ~mask).view(np.uint8)
    rim = cv2.dilate(visible, _RIM_KERNEL).astype(np.bool_) & ~mask
    replaced = person.copy()
    cv2.copyTo(scene, (background | rim).view(np.uint8), replaced)
    return replaced


def color_matrix(brightness: float, contrast: float, saturation: float, hue: float) -> NDArray[np.float32]:
    """Return the float32 (3, 4) matrix that maps a color (r, g, b, 1) in 0..255.

    Args:
        brightness: factor of all values.
        contrast: factor of the distance from middle gray.
        saturation: factor of the distance from the pixel's gray; 0 gives a gray image.
        hue: rotation as a fraction of the color circle, about the gray axis in the plane of equal luma (YIQ).
    """
    cosine, sine = np.cos(2 * np.pi * hue), np.sin(2 * np.pi * hue)
    rotation = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    rotated = np.linalg.solve(_TO_YIQ, rotation @ _TO_YIQ)
    factors = contrast * brightness * (_TO_GRAY + saturation * (rotated - _TO_GRAY))
    return np.column_stack([factors, np.full(3, _MIDDLE_GRAY * (1 - contrast))]).astype(np.float32)


def apply_color_matrix(image: NDArray[np.uint8], matrix: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Apply a (3, 4) color matrix to uint8 (H, W, 3) RGB, clipping to 0..255."""
    return cv2.transform(image, matrix).astype(np.uint8, copy=False)
