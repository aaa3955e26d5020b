"""Arrays to the bytes of exported files: 8-bit masks, agnostic images, DensePose in colors."""

from __future__ import annotations

import zlib

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.dresscode.readers import Size, resize_labels
from tryon.imaging.png_encoder import GRAY, png_file, up_filter

_LAST_PART = 24
_PARTS = cv2.applyColorMap((np.arange(_LAST_PART + 1) * (255 / _LAST_PART)).astype(np.uint8), cv2.COLORMAP_PARULA)
_PART_COLORS = _PARTS.reshape(-1, 3)[:, ::-1].copy()
_PART_COLORS[0] = 0  # the background


def resize_mask(mask: NDArray[np.bool_], size: Size) -> NDArray[np.bool_]:
    """Resize bool (H, W) by nearest neighbor: what is hidden stays hidden, nothing becomes half hidden."""
    return resize_labels(mask.view(np.uint8), size).view(np.bool_)


def encode_mask(mask: NDArray[np.bool_]) -> bytes:
    """8-bit gray PNG of bool (H, W), True = 255. Other codebases' readers stumble over 1-bit ones."""
    rows = up_filter(mask.view(np.uint8) * np.uint8(255))
    return png_file(rows, mask.shape[1], 8, GRAY, 1, strategy=zlib.Z_RLE)


def gray_out(photo: NDArray[np.uint8], mask: NDArray[np.bool_], gray: int) -> NDArray[np.uint8]:
    """The agnostic image: uint8 (H, W, 3) with the pixels under bool (H, W) set to `gray` in all channels."""
    kept = (~mask).view(np.uint8)
    return cv2.copyTo(photo, kept, np.full_like(photo, gray)).astype(np.uint8, copy=False)


def encode_jpeg(photo: NDArray[np.uint8]) -> bytes:
    """JPEG of quality 95 of uint8 (H, W, 3), RGB."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(photo, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_JPEG_QUALITY, 95))
    assert done, "OpenCV encodes every image of 8 bits and three channels"
    return data.tobytes()


def draw_dense_pose(parts: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """DensePose ids, uint8 (H, W), in detectron2's `dp_segm` colors on black: uint8 (H, W, 3), RGB."""
    return _PART_COLORS[parts].astype(np.uint8, copy=False)
