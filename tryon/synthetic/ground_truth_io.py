"""Read and write dense ground truth: garment-to-person flow as 16-bit PNG, DensePose UV maps as npz.

A flow file is a 16-bit PNG of three channels, 1024x768. The first two are x and y of the corresponding point in the
catalogue image, in 1/32 pixel; the third is the cover: 0 no garment, 1 visible, 2 occluded. All are 0 off the garment.
"""

from __future__ import annotations

import io
import zipfile

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.imaging.png_encoder import RGB, png_file, up_filter

FLOW_UNITS = 32
"""Units of a flow file per pixel of the catalogue image."""

UV_LEVELS = 255
"""UV values are multiples of 1/255, as in DensePose images, so that they compress well."""

DATE = (1980, 1, 1, 0, 0, 0)
"""Modification time of every archive member, so that equal content gives equal bytes."""

_COMPRESSION_LEVEL = 1


def encode_flow(flow: NDArray[np.float32], cover: NDArray[np.uint8]) -> bytes:
    """Encode a flow file.

    Args:
        flow: float32 (H, W, 2), x and y in pixels of the catalogue image; ignored where the cover is 0.
        cover: uint8 (H, W), 0 no garment, 1 visible, 2 occluded.
    """
    height, width = cover.shape
    units = np.clip(np.rint(flow * np.float32(FLOW_UNITS)), 0, 65535)
    values = np.empty((height, width, 3), np.uint16)
    np.multiply(units, (cover > 0)[..., None], out=values[..., :2], casting="unsafe")
    values[..., 2] = cover
    pixels = values.byteswap().view(np.uint8).reshape(height, -1)  # PNG is big-endian
    return png_file(up_filter(pixels), width, 16, RGB, _COMPRESSION_LEVEL)


def decode_flow(data: bytes) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Decode a flow file.

    Returns:
        Flow float32 (H, W, 2), exact to 1/64 pixel and 0 off the garment; cover uint8 (H, W).

    Raises:
        ValueError: not a 16-bit PNG of three channels.
    """
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if data else None
    if image is None or image.dtype != np.uint16 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError("not a 16-bit PNG of three channels")
    cover, y, x = cv2.split(image)  # OpenCV decodes to BGR
    flow = np.stack([x, y], axis=-1).astype(np.float32) / np.float32(FLOW_UNITS)
    return flow, cover.astype(np.uint8)


def encode_uv(uv: NDArray[np.float32]) -> bytes:
    """Encode a UV map (H, W, 2) in 0..1 as npz with the key `uv`: float32 (2, H, W) in steps of 1/255."""
    planes = np.ascontiguousarray(np.moveaxis(uv, -1, 0), np.float32)
    stepped = np.rint(planes * np.float32(UV_LEVELS)) / np.float32(UV_LEVELS)
    array, packed = io.BytesIO(), io.BytesIO()
    np.lib.format.write_array(array, stepped, allow_pickle=False)
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zip_member("uv.npy"), array.getbuffer(), zipfile.ZIP_DEFLATED, _COMPRESSION_LEVEL)
    return packed.getvalue()


def zip_member(name: str) -> zipfile.ZipInfo:
    """Return archive member metadata that is equal on every system."""
    info = zipfile.ZipInfo(name, DATE)
    info.create_system, info.external_attr = 3, 0o644 << 16
    return info
