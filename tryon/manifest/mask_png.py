"""Encode and decode the masks of a manifest: 1-bit gray PNG, white = masked, about a kilobyte at 512x384."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.errors import TryOnError
from tryon.imaging.png_encoder import GRAY, NO_FILTER, png_file

_LEVEL = 1  # level 6 saves a quarter of the bytes and takes five times as long


def encode_mask(mask: NDArray[np.bool_]) -> bytes:
    """Encode a mask, bool (H, W), deterministically; 0.22 ms against 0.89 ms by OpenCV.

    >>> mask = np.eye(8, dtype=bool)
    >>> bool((decode_mask(encode_mask(mask)) == mask).all())
    True
    """
    packed = np.packbits(mask, axis=1)
    rows = np.full((len(packed), 1 + packed.shape[1]), NO_FILTER, np.uint8)  # gives the smallest files
    rows[:, 1:] = packed
    return png_file(rows, mask.shape[1], 1, GRAY, _LEVEL)


def decode_mask(data: bytes) -> NDArray[np.bool_]:
    """Decode a mask, or any other black-and-white PNG, to bool (H, W).

    Raises:
        TryOnError: the data is not a PNG.
    """
    gray = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) if data else None
    if gray is None:
        raise TryOnError("mask is not a PNG file", found=f"{len(data)} bytes", hint="Run `tryon agnostic` again.")
    return gray > 127
