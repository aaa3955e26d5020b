"""One person in five pictures side by side: photo, label map, DensePose, mask with its faults, agnostic picture."""

from __future__ import annotations

import io
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tryon.agnostic.masks.audit import must_hide, must_keep
from tryon.agnostic.masks.parsed_person import Scene
from tryon.agnostic.masks.regions import apply_mask
from tryon.agnostic.process_person import Making, Maps, person_of, read_maps
from tryon.dresscode.readers import decode_photo, resize_labels
from tryon.manifest.raw_files import read_checked

COLUMNS = ("person", "label map", "DensePose", "mask", "agnostic picture")

CELL_HEIGHT = 256
"""Height of one picture, pixels."""

GAP = 6

_QUALITY = 90

LEAK, HARM = (226, 58, 46), (245, 166, 35)
"""Colours of faults in the mask: garment left visible, must-keep parts hidden."""

_LABELS = (
    "000000", "c86432", "8c5a3c", "3c3c78", "2f7fc1", "d8538f", "3f9a5c", "b04fc0", "e3c13b",
    "7a4a2b", "a56a43", "f2c39b", "d98f72", "c27558", "eaa98c", "d79478", "6fc7c1", "9fd356",
)  # fmt: skip
"""Colours of the ATR ids, skin in skin's colours, garments far apart."""

Picture = NDArray[np.uint8]


def strip(row: dict[str, Any], mask: NDArray[np.bool_], making: Making) -> Picture:
    """Draw one person.

    Args:
        row: of the index, with the paths and hashes of the photo and of what masks are made from.
        mask: at the size of `making`.
        making: as the mask was made.

    Returns:
        uint8 (`CELL_HEIGHT`, W, 3), RGB, white between the pictures.

    Raises:
        MissingInputError: a raw file is not there or has changed.
        UnreadableError: one does not decode.
    """
    height, width = making.size
    size = (CELL_HEIGHT, round(CELL_HEIGHT * width / height))
    photo = decode_photo(read_checked(making.workspace, row["person"], row["person_sha256"]), size)
    person = person_of(row)
    maps = read_maps(person, size, making.workspace)
    dense = np.zeros(size, np.uint8) if maps.dense_pose is None else maps.dense_pose
    tones = _tones(mask, read_maps(person, making.size, making.workspace), making)
    hidden = resize_labels(mask.view(np.uint8), size).view(np.bool_)
    drawn = _MASK_COLOURS[resize_labels(tones, size)]
    pictures = [photo, _LABEL_COLOURS[maps.label_map], _DENSE_COLOURS[dense], drawn, apply_mask(photo, hidden)]
    gap = np.full((CELL_HEIGHT, GAP, 3), 255, np.uint8)
    return np.concatenate([part for picture in pictures for part in (picture, gap)][:-1], axis=1)


def encode(picture: Picture) -> bytes:
    """A strip as WebP, about 25 kB. Equal pictures give equal bytes."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "WEBP", quality=_QUALITY, method=2)  # OpenCV's method 4: twice the time
    return stream.getvalue()


def _tones(mask: NDArray[np.bool_], maps: Maps, making: Making) -> NDArray[np.uint8]:
    """0 visible, 1 hidden, 2 garment left visible, 3 hidden though to be kept; at the mask's own size."""
    tones = mask.astype(np.uint8)
    scene = Scene(*maps)
    hidden, part = mask[scene.box.window], tones[scene.box.window]
    part[must_hide(making.category, scene).view(np.bool_) & ~hidden] = 2
    part[must_keep(making.category, scene).view(np.bool_) & hidden] = 3
    return tones


def _label_colours() -> Picture:
    table = np.full((256, 3), 255, np.uint8)
    table[: len(_LABELS)] = [list(bytes.fromhex(colour)) for colour in _LABELS]
    return table


def _dense_colours() -> Picture:
    ids = np.minimum(np.arange(256) * 10, 255).astype(np.uint8)
    table = cast(Picture, cv2.applyColorMap(ids, cv2.COLORMAP_TURBO).reshape(256, 3)[:, ::-1].copy())
    table[0] = 0
    return table


_LABEL_COLOURS, _DENSE_COLOURS = _label_colours(), _dense_colours()
_MASK_COLOURS = np.array([(0, 0, 0), (255, 255, 255), LEAK, HARM], np.uint8)
