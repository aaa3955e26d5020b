"""Read and preprocess images with Pillow, as the evaluation code of other systems does.

Part of the code that a fingerprint covers.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from tryon.dresscode.readers import Size
from tryon.scoring.protocols.protocol import ImageArray


def read_image(path: Path) -> ImageArray:
    """Read an image file as RGB, uint8 (H, W, 3)."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def as_jpeg(image: ImageArray) -> ImageArray:
    """Encode an image as torchvision's `save_image`, JPEG with Pillow's quality 75 and 4:2:0, and decode it."""
    data = io.BytesIO()
    Image.fromarray(image).save(data, "JPEG")
    return np.asarray(Image.open(data).convert("RGB"))


def resized(image: ImageArray, size: Size, filter: Image.Resampling) -> ImageArray:
    """Resize an image to `size` (height, width); downscaling averages with every filter."""
    if image.shape[:2] == size:
        return image
    return np.asarray(Image.fromarray(image).resize((size[1], size[0]), filter))


def at_height(image: ImageArray, height: int) -> ImageArray:
    """Resize an image to `height`, its width in proportion and rounded down, with a Lanczos filter."""
    width = int(image.shape[1] * height / image.shape[0])
    return resized(image, (height, width), Image.Resampling.LANCZOS)
