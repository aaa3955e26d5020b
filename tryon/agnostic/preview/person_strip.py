"""Render one person as five images side by side: photo, label map, DensePose, mask with errors, agnostic image."""

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

LEAK_COLOR, PROTECTED_COLOR = (226, 58, 46), (245, 166, 35)
"""Colors of errors in the mask: garment left visible, protected region masked."""

_LABELS = (
    "000000", "c86432", "8c5a3c", "3c3c78", "2f7fc1", "d8538f", "3f9a5c", "b04fc0", "e3c13b",
    "7a4a2b", "a56a43", "f2c39b", "d98f72", "c27558", "eaa98c", "d79478", "6fc7c1", "9fd356",
)  # fmt: skip
"""Colors of the ATR ids: skin tones for skin, distant hues for garments."""

ImageArray = NDArray[np.uint8]


def person_strip(row: dict[str, Any], mask: NDArray[np.bool_], job: MaskJob) -> ImageArray:
    """Render one person.

    Args:
        row: of the index, with paths and hashes of the photo and the mask's files.
        mask: of the size of `job`.

    Returns:
        uint8 (`CELL_HEIGHT`, W, 3), RGB, white between the images.

    Raises:
        MissingInputError: a raw file does not exist or has changed.
        UnreadableError: a raw file does not decode.
    """
    height, width = job.size
    size = (CELL_HEIGHT, round(CELL_HEIGHT * width / height))
    photo = decode_photo(read_verified(job.workspace, row["person"], row["person_sha256"]), size)
    person = person_from_row(row)
    maps = read_inputs(person, size, job.workspace)
    dense = np.zeros(size, np.uint8) if maps.dense_pose is None else maps.dense_pose
    classes = _overlay_classes(mask, read_inputs(person, job.size, job.workspace), job)
    resized = resize_labels(mask.view(np.uint8), size).view(np.bool_)
    overlay = _MASK_COLORS[resize_labels(classes, size)]
    images = [photo, _LABEL_COLORS[maps.label_map], _DENSE_COLORS[dense], overlay, apply_mask(photo, resized)]
    gap = np.full((CELL_HEIGHT, GAP, 3), 255, np.uint8)
    return np.concatenate([part for image in images for part in (image, gap)][:-1], axis=1)


def encode(image: ImageArray) -> bytes:
    """Encode a strip as WebP, about 25 kB, deterministically."""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "WEBP", quality=_QUALITY, method=2)  # OpenCV uses method 4: twice the time
    return stream.getvalue()


def _overlay_classes(mask: NDArray[np.bool_], maps: MaskInputs, job: MaskJob) -> NDArray[np.uint8]:
    """Classify pixels at the mask's size: 0 visible, 1 masked, 2 visible garment, 3 masked protected region."""
    classes = mask.astype(np.uint8)
    person = ParsedPerson(*maps)
    masked, part = mask[person.window.slices], classes[person.window.slices]
    part[target_mask(job.category, person).view(np.bool_) & ~masked] = 2
    part[protected_mask(job.category, person).view(np.bool_) & masked] = 3
    return classes


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
_MASK_COLORS = np.array([(0, 0, 0), (255, 255, 255), LEAK_COLOR, PROTECTED_COLOR], np.uint8)
