"""Pack one pair at training size into a row: encoded images, masks as bits, key points in pixels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.categories import Category, Split
from tryon.dresscode.labels import Label, garment_region
from tryon.dresscode.readers import Size, decode_keypoints, decode_label_map, decode_photo
from tryon.manifest.mask_png import decode_mask
from tryon.manifest.raw_files import read_verified
from tryon.manifest.schemas import SLICE_COLUMNS
from tryon.sample.oracle_warp import oracle_warp
from tryon.synthetic.ground_truth_io import decode_flow
from tryon.workspace import Workspace

JPEG, PNG = "jpeg", "png"
IMAGES = {"train": JPEG, "val": PNG, "test_paired": PNG, "test_unpaired": PNG}
"""Image format by part of the subset, stored in the metadata key `images`: lossless where results are scored."""

RAW_ROLES = ("person", "garment", "label_map", "keypoints", "truth", "truth_label_map", "flow")
"""Raw files that a packed row is made from."""

_ENCODING = {  # PNG level 6 saves a fifth of the bytes and takes four times as long
    JPEG: (".jpg", (cv2.IMWRITE_JPEG_QUALITY, 95)),
    PNG: (".png", (cv2.IMWRITE_PNG_COMPRESSION, 1)),
}
COPIED = ("pair_id", "category", "split", "person_id", "garment_id", "licence", *SLICE_COLUMNS)
"""Columns of a manifest row that are copied to the packed row."""

Row = dict[str, Any]


def pack_row(row: Row, size: Size, workspace: Workspace) -> Row:
    """Make one packed row.

    Args:
        row: of a manifest, with the columns `<role>` and `<role>_sha256` of the index for each of `RAW_ROLES`, and
            `part`, its part of the subset; its mask has `size`.
        size: height and width of the result.

    Returns:
        A row of the schema PACKED.

    Raises:
        MissingInputError: a raw file is missing or has changed.
    """

    def read(role: str) -> bytes:
        return read_verified(workspace, row[role], row[f"{role}_sha256"])

    def image(role: str) -> bytes:
        return encode_image(decode_photo(read(role), size), IMAGES[row["part"]])

    def garment_mask(label_map: NDArray[np.uint8]) -> bytes:
        return pack_mask(garment_region(label_map, Category(row["category"])))

    labels = decode_label_map(read("label_map"), size)
    unpaired = row["split"] == Split.TEST_UNPAIRED
    return {name: row[name] for name in COPIED} | {
        "person": image("person"),
        "garment": image("garment"),
        "mask": pack_mask(decode_mask(row["mask_png"])),
        "garment_mask": garment_mask(labels),
        "background": pack_mask(labels == Label.BACKGROUND) if row["part"] == "train" else None,
        "keypoints": decode_keypoints(read("keypoints"), size).ravel().tolist(),
        "truth": image("truth") if unpaired and row["truth"] else None,
        "truth_garment_mask": garment_mask(decode_label_map(read("truth_label_map"), size))
        if unpaired and row["truth_label_map"]
        else None,
        "oracle_warp": _encode_oracle_warp(row, size, read) if row["flow"] else None,
        "height": size[0],
        "width": size[1],
    }


def _encode_oracle_warp(row: Row, size: Size, read: Callable[[str], bytes]) -> bytes:
    """Warp onto the ground truth, which for a paired row is the person image."""
    data = read("truth" if row["split"] == Split.TEST_UNPAIRED else "person")
    garment, flow = decode_photo(read("garment")), decode_flow(read("flow"))
    warped, contains_garment = oracle_warp(garment, flow, decode_photo(data), size)
    image = np.where(contains_garment[..., None], warped, decode_photo(data, size))
    return encode_image(image, IMAGES[row["part"]])


def encode_image(photo: NDArray[np.uint8], images: str) -> bytes:
    """Encode uint8 (H, W, 3) RGB as JPEG of quality 95 or as PNG."""
    suffix, options = _ENCODING[images]
    success, data = cv2.imencode(suffix, cv2.cvtColor(photo, cv2.COLOR_RGB2BGR), options)
    assert success, "OpenCV encodes every image of 8 bits and three channels"
    return data.tobytes()


def pack_mask(mask: NDArray[np.bool_]) -> bytes:
    """Pack a mask, bool (H, W), into bits; `np.unpackbits(data)[:H * W].reshape(H, W)` reverses it."""
    return np.packbits(mask).tobytes()
