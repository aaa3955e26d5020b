"""Masks as they lie in a manifest row: 1-bit grey PNG, white = hidden, about a kilobyte at 512x384."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.errors import TryOnError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LEVEL = 1  # level 6 saves a quarter of the bytes and takes five times as long


def encode_mask(mask: NDArray[np.bool_]) -> bytes:
    """Encode a mask, bool (H, W). The same mask gives the same bytes."""
    height, width = mask.shape
    packed = np.packbits(mask, axis=1)
    lines = np.zeros((height, packed.shape[1] + 1), np.uint8)  # a row begins with its filter: 0, none, packs best here
    lines[:, 1:] = packed
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    body = zlib.compress(lines.tobytes(), _LEVEL)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def decode_mask(data: bytes) -> NDArray[np.bool_]:
    """Decode what `encode_mask` gave, or any other black-and-white PNG, to bool (H, W).

    Raises:
        TryOnError: the bytes are not a PNG.
    """
    grey = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) if data else None
    if grey is None:
        raise TryOnError("mask", rule="is a PNG", value=f"{len(data)} bytes", remedy="Run `tryon agnostic` again.")
    return grey > 127


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
