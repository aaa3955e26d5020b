"""How results are read and what protocols do to pictures, by Pillow, as the evaluation code of other systems does it.

What is here makes the numbers, so it belongs to what a fingerprint covers.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from tryon.dresscode.readers import Size
from tryon.scoring.protocols.protocol import Picture

JPEG_QUALITY = 75
"""What Pillow, and so torchvision's `save_image`, saves a .jpg with when nobody says how."""


def read_picture(path: Path) -> Picture:
    """A result as it is in its file."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def as_jpeg(picture: Picture) -> Picture:
    """The picture after it was saved as JPEG with Pillow's defaults: quality 75, colour at half the size."""
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "JPEG")
    return np.asarray(Image.open(data).convert("RGB"))


def resized(picture: Picture, size: Size, filter: Image.Resampling) -> Picture:
    """The picture at `size` (height, width); shrinking averages, whatever the filter."""
    if picture.shape[:2] == size:
        return picture
    return np.asarray(Image.fromarray(picture).resize((size[1], size[0]), filter))


def at_height(picture: Picture, height: int) -> Picture:
    """The picture at `height`, its width in proportion and rounded down, by a Lanczos filter."""
    width = int(picture.shape[1] * height / picture.shape[0])
    return resized(picture, (height, width), Image.Resampling.LANCZOS)
