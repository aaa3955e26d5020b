"""Compute masks and agnostic images as published loaders do, as a baseline for time.

The steps of public Dress Code loaders on the way to an agnostic image and its mask, reimplemented in numpy, without any
loop over pixels that they do not have. Three variants:

`mask_alone` is less than any public code offers. The label map by Pillow's nearest neighbor; one float map per label,
and sums of such maps for head, garment, arms and the protected regions; the arms as a line in a Pillow image; the
garment dilated five times as float; the head cut below the line of the shoulders column by column; the mask as 8-bit
PNG.

`agnostic_and_mask` adds the photo, which those loaders always read: decoded in full, resized by Pillow's bicubic
filter, channels first, float, -1..1; one image per key point, converted to a float map, 18 in all; the photo times the
mask, back to bytes, JPEG of quality 95.

`loader_item` adds what they read for every item: pose image and garment like the photo, and the DensePose map by
nearest neighbor.

None of them includes the UV file or torch, whose small tensors are slower than numpy's arrays. Constants are pixels,
and skirts stay visible: use it for timing only. Its masks equal those of the method `dresscode-official`, which a test
checks.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tryon.categories import Category
from tryon.dresscode.layout import KEYPOINT_HEIGHT, relative_path
from tryon.dresscode.readers import Size

Floats = np.ndarray

_HAT, _HAIR, _GLASSES, _TOP, _SKIRT, _TROUSERS, _DRESS = range(1, 8)
_LEFT_SHOE, _RIGHT_SHOE, _HEAD, _LEFT_LEG, _RIGHT_LEG, _LEFT_ARM, _RIGHT_ARM, _BAG, _SCARF = range(9, 18)
_GARMENT = {
    Category.UPPER_BODY: (_TOP,),
    Category.LOWER_BODY: (_TROUSERS, _LEFT_LEG, _RIGHT_LEG),
    Category.DRESSES: (_DRESS, _LEFT_LEG, _RIGHT_LEG),
}
_OTHERS = {Category.UPPER_BODY: (_SKIRT, _TROUSERS), Category.LOWER_BODY: (_TOP,), Category.DRESSES: ()}
_LABELS, _JOINTS = 18, 18
_ALONG_ARMS = (4, 3, 2, 5, 6, 7)


def mask_alone(raw: Path, category: Category, item: str, size: Size) -> bytes:
    """Mask (PNG) of one person."""
    joints = key_points(raw, category, item, size)
    return mask_png(float_mask(category, nearest(raw / relative_path("label_map", category, item), size), joints))


def agnostic_and_mask(raw: Path, category: Category, item: str, size: Size) -> tuple[bytes, bytes]:
    """Mask (PNG) and agnostic image (JPEG)."""
    image = photo("person", raw, category, item, size)
    joints = key_points(raw, category, item, size)
    key_point_maps(joints, size)
    mask = float_mask(category, nearest(raw / relative_path("label_map", category, item), size), joints)
    return mask_png(mask), agnostic_jpeg(image, mask)


def loader_item(raw: Path, category: Category, item: str, size: Size) -> tuple[bytes, bytes]:
    """Compute `agnostic_and_mask` and read the other files of the item."""
    photo("skeleton", raw, category, item, size)
    photo("garment", raw, category, item, size)
    nearest(raw / relative_path("dense_pose", category, item), size)
    return agnostic_and_mask(raw, category, item, size)


def photo(role: str, raw: Path, category: Category, item: str, size: Size) -> Floats:
    """A image as networks take it: float (3, H, W), -1..1."""
    with Image.open(raw / relative_path(role, category, item)) as image:
        resized = image.resize((size[1], size[0]))
    values = np.ascontiguousarray(np.array(resized).transpose(2, 0, 1)).astype(np.float32) / 255
    return (values - 0.5) / 0.5


def nearest(path: Path, size: Size) -> NDArray[np.uint8]:
    """A map of ids, resized by Pillow."""
    with Image.open(path) as image:
        return np.array(image.resize((size[1], size[0]), Image.Resampling.NEAREST))


def key_points(raw: Path, category: Category, item: str, size: Size) -> NDArray[np.float64]:
    """x, y in pixels of `size`; a missing joint stays below 1."""
    content = json.loads((raw / relative_path("keypoints", category, item)).read_text())
    return np.array(content["keypoints"])[:, :2] * (size[0] / KEYPOINT_HEIGHT)


def key_point_maps(joints: NDArray[np.float64], size: Size) -> Floats:
    """Float (18, H, W), -1..1: a small square where each joint is."""
    maps = np.zeros((_JOINTS, *size), np.float32)
    radius = 5 * size[0] / 512
    for joint, (x, y) in enumerate(joints):
        image = Image.new("L", (size[1], size[0]))
        if x > 1 and y > 1:
            ImageDraw.Draw(image).rectangle((x - radius, y - radius, x + radius, y + radius), 255, 255)
        maps[joint] = (np.array(image).astype(np.float32) / 255 - 0.5) / 0.5
    return maps


def float_mask(category: Category, labels: NDArray[np.uint8], joints: NDArray[np.float64]) -> Floats:
    """Float (H, W): 1 = hidden."""
    parsed = (labels == np.arange(_LABELS)[:, None, None]).astype(np.float32)

    def part(*ids: int) -> Floats:
        return sum((parsed[one] for one in ids), np.zeros(labels.shape, np.float32))

    large = len(labels) > 512
    head, arms, garment = part(_HEAD), part(_LEFT_ARM, _RIGHT_ARM), part(*_GARMENT[category])
    fixed = part(_HAIR, _LEFT_SHOE, _RIGHT_SHOE, _HAT, _GLASSES, _SCARF, _BAG) + part(*_OTHERS[category])
    hidden = cv2.dilate(garment, np.ones((20, 20) if large else (5, 5), np.float32), iterations=5)
    if category is not Category.LOWER_BODY:
        line = arm_line(joints, labels.shape[:2])
        line = cv2.dilate(line, np.ones((10, 10), np.float32), iterations=5) if large else line
        hidden = np.logical_or(hidden, line)
        arms = np.logical_and(arms, np.logical_not(line))
        head = head_above_shoulders(head, joints)
    fixed = np.logical_or(np.logical_or(fixed, head), arms)
    return np.logical_and(hidden, np.logical_not(fixed)).astype(np.float32)


def arm_line(joints: NDArray[np.float64], size: Size) -> Floats:
    image = Image.new("L", (size[1], size[0]))
    arms = [tuple(joints[joint]) for joint in _ALONG_ARMS if joints[joint].min() > 0]
    ImageDraw.Draw(image).line(arms, 255, 30, "curve")
    return np.array(image).astype(np.float32) / 255


def head_above_shoulders(head: Floats, joints: NDArray[np.float64]) -> Floats:
    """Without the pixels below the line of the shoulders less 20 pixels at a height of 512, column by column."""
    (x1, y1), (x2, y2) = joints[2], joints[5]
    protected = head.copy()
    slope = (y2 - y1) / (x2 - x1)
    for column in range(head.shape[1]):
        level = y1 + slope * (column - x1) - 20 * len(head) / 512
        protected[max(0, int(level)) :, column] = 0
    return protected


def mask_png(mask: Floats) -> bytes:
    stream = io.BytesIO()
    Image.fromarray((mask * 255).astype(np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def agnostic_jpeg(image: Floats, mask: Floats) -> bytes:
    hidden = image * (1 - mask) - mask  # black is -1
    values = ((hidden * 0.5 + 0.5) * 255).astype(np.uint8).transpose(1, 2, 0)
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(values)).save(stream, "JPEG", quality=95)
    return stream.getvalue()
