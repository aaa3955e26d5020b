"""How results are read and what protocols do to images, by Pillow, as the evaluation code of other systems does it.

What is here makes the numbers, so it belongs to what a fingerprint covers.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from tryon.dresscode.readers import Size
from tryon.scoring.protocols.protocol import ImageArray

JPEG_QUALITY = 75
"""What Pillow, and so torchvision's `save_image`, saves a .jpg with when nobody says how."""


def read_image(path: Path) -> ImageArray:
    """A result as it is in its file."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def as_jpeg(image: ImageArray) -> ImageArray:
    """The image after it was saved as JPEG with Pillow's defaults: quality 75, color at half the size."""
    data = io.BytesIO()
    Image.fromarray(image).save(data, "JPEG")
    return np.asarray(Image.open(data).convert("RGB"))


def resized(image: ImageArray, size: Size, filter: Image.Resampling) -> ImageArray:
    """The image at `size` (height, width); shrinking averages, whatever the filter."""
    if image.shape[:2] == size:
        return image
    return np.asarray(Image.fromarray(image).resize((size[1], size[0]), filter))


def at_height(image: ImageArray, height: int) -> ImageArray:
    """The image at `height`, its width in proportion and rounded down, by a Lanczos filter."""
    width = int(image.shape[1] * height / image.shape[0])
    return resized(image, (height, width), Image.Resampling.LANCZOS)
