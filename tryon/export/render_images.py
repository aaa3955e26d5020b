"""Render and encode exported images: 8-bit masks, agnostic images, DensePose in colors."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.dresscode.readers import Size, resize_labels

_LAST_PART = 24
_PARTS = cv2.applyColorMap((np.arange(_LAST_PART + 1) * (255 / _LAST_PART)).astype(np.uint8), cv2.COLORMAP_PARULA)
_PART_COLORS = _PARTS.reshape(-1, 3)[:, ::-1].copy()
_PART_COLORS[0] = 0  # the background

_PNG_OPTIONS = (  # a mask compresses best and fastest by runs of equal rows
    cv2.IMWRITE_PNG_COMPRESSION, 1,
    cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE,
    cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP,
)  # fmt: skip


def resize_mask(mask: NDArray[np.bool_], size: Size) -> NDArray[np.bool_]:
    """Resize a mask, bool (H, W), by nearest neighbor, so that it stays binary."""
    return resize_labels(mask.view(np.uint8), size).view(np.bool_)


def encode_mask(mask: NDArray[np.bool_]) -> bytes:
    """Encode bool (H, W) as 8-bit gray PNG, True = 255; other codebases do not read 1-bit PNG correctly."""
    return cv2.imencode(".png", mask.view(np.uint8) * np.uint8(255), _PNG_OPTIONS)[1].tobytes()


def gray_out(photo: NDArray[np.uint8], mask: NDArray[np.bool_], gray: int) -> NDArray[np.uint8]:
    """Make the agnostic image: uint8 (H, W, 3) with masked pixels, bool (H, W), set to `gray`."""
    visible = (~mask).view(np.uint8)
    return cv2.copyTo(photo, visible, np.full_like(photo, gray)).astype(np.uint8, copy=False)


def encode_jpeg(photo: NDArray[np.uint8]) -> bytes:
    """Encode uint8 (H, W, 3), RGB, as JPEG of quality 95."""
    success, data = cv2.imencode(".jpg", cv2.cvtColor(photo, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_JPEG_QUALITY, 95))
    assert success, "OpenCV encodes every image of 8 bits and three channels"
    return data.tobytes()


def draw_dense_pose(parts: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Color DensePose ids, uint8 (H, W), as detectron2's `dp_segm` on black: uint8 (H, W, 3), RGB."""
    return _PART_COLORS[parts].astype(np.uint8, copy=False)
