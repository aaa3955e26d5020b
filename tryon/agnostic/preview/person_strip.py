"""One person in five images side by side: photo, label map, DensePose, mask with its faults, agnostic image."""

from __future__ import annotations

import io
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tryon.agnostic.masks.audit import protected_mask, target_mask
from tryon.agnostic.masks.parsed_person import ParsedPerson
from tryon.agnostic.masks.regions import apply_mask
from tryon.agnostic.process_person import MaskInputs, MaskJob, person_from_row, read_inputs
from tryon.dresscode.readers import decode_photo, resize_labels
from tryon.manifest.raw_files import read_verified

COLUMNS = ("person", "label map", "DensePose", "mask", "agnostic image")

CELL_HEIGHT = 256
"""Height of one image, pixels."""

GAP = 6

_QUALITY = 90

LEAK, HARM = (226, 58, 46), (245, 166, 35)
"""Colors of faults in the mask: garment left visible, must-keep parts hidden."""

_LABELS = (
    "000000", "c86432", "8c5a3c", "3c3c78", "2f7fc1", "d8538f", "3f9a5c", "b04fc0", "e3c13b",
    "7a4a2b", "a56a43", "f2c39b", "d98f72", "c27558", "eaa98c", "d79478", "6fc7c1", "9fd356",
)  # fmt: skip
"""Colors of the ATR ids, skin in skin's colors, garments far apart."""

ImageArray = NDArray[np.uint8]


def person_strip(row: dict[str, Any], mask: NDArray[np.bool_], making: MaskJob) -> ImageArray:
    """Draw one person.

    Args:
        row: of the index, with the paths and hashes of the photo and of what masks are made from.
        mask: at the size of `making`.
        making: as the mask was made.

    Returns:
        uint8 (`CELL_HEIGHT`, W, 3), RGB, white between the images.

    Raises:
        MissingInputError: a raw file is not there or has changed.
        UnreadableError: one does not decode.
    """
    height, width = making.size
    size = (CELL_HEIGHT, round(CELL_HEIGHT * width / height))
    photo = decode_photo(read_verified(making.workspace, row["person"], row["person_sha256"]), size)
    person = person_from_row(row)
    maps = read_inputs(person, size, making.workspace)
    dense = np.zeros(size, np.uint8) if maps.dense_pose is None else maps.dense_pose
    tones = _overlay_colors(mask, read_inputs(person, making.size, making.workspace), making)
    hidden = resize_labels(mask.view(np.uint8), size).view(np.bool_)
    drawn = _MASK_COLORS[resize_labels(tones, size)]
    images = [photo, _LABEL_COLORS[maps.label_map], _DENSE_COLORS[dense], drawn, apply_mask(photo, hidden)]
    gap = np.full((CELL_HEIGHT, GAP, 3), 255, np.uint8)
    return np.concatenate([part for image in images for part in (image, gap)][:-1], axis=1)


def encode(image: ImageArray) -> bytes:
    """A strip as WebP, about 25 kB. Equal images give equal bytes."""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "WEBP", quality=_QUALITY, method=2)  # OpenCV's method 4: twice the time
    return stream.getvalue()


def _overlay_colors(mask: NDArray[np.bool_], maps: MaskInputs, making: MaskJob) -> NDArray[np.uint8]:
    """0 visible, 1 hidden, 2 garment left visible, 3 hidden though to be kept; at the mask's own size."""
    tones = mask.astype(np.uint8)
    scene = ParsedPerson(*maps)
    hidden, part = mask[scene.box.window], tones[scene.box.window]
    part[target_mask(making.category, scene).view(np.bool_) & ~hidden] = 2
    part[protected_mask(making.category, scene).view(np.bool_) & hidden] = 3
    return tones


def _label_colors() -> ImageArray:
    table = np.full((256, 3), 255, np.uint8)
    table[: len(_LABELS)] = [list(bytes.fromhex(color)) for color in _LABELS]
    return table


def _dense_colors() -> ImageArray:
    ids = np.minimum(np.arange(256) * 10, 255).astype(np.uint8)
    table = cast(ImageArray, cv2.applyColorMap(ids, cv2.COLORMAP_TURBO).reshape(256, 3)[:, ::-1].copy())
    table[0] = 0
    return table


_LABEL_COLORS, _DENSE_COLORS = _label_colors(), _dense_colors()
_MASK_COLORS = np.array([(0, 0, 0), (255, 255, 255), LEAK, HARM], np.uint8)
