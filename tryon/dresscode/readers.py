"""Bytes of the data set's files to arrays, at any wanted size. Size is always (height, width)."""

from __future__ import annotations

import io
import json

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from tryon.dresscode.layout import KEYPOINT_HEIGHT, KEYPOINT_WIDTH
from tryon.errors import TryOnError
from tryon.imaging.png_decoder import read_indices

Size = tuple[int, int]
"""(height, width) in pixels."""

JOINTS = 18

_FRAME = np.array((KEYPOINT_WIDTH, KEYPOINT_HEIGHT), np.float32)

MAX_COORDINATE = 4
"""Frame sizes that a key point may lie away from the origin; farther out it is damage, not a joint out of view."""

_PILLOW_ERRORS = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
_PNG_END = b"IEND\xaeB`\x82"
_WHOLE_IMAGE = "is a whole JPEG or PNG file"


class UnreadableError(TryOnError):
    """A file's bytes are not what its role says."""


def decode_photo(data: bytes, size: Size | None = None) -> NDArray[np.uint8]:
    """Decode a JPEG or PNG image.

    A note in the file on how a camera was held is not heeded: the maps lie as the pixels do.

    A image at least twice the wanted size is decoded at half, a quarter or an eighth of its size, which for JPEG
    costs a fraction and loses less than one re-encoding does; the rest of the way is area averaging.

    Returns:
        uint8 (H, W, 3), RGB, 0..255.

    Raises:
        UnreadableError: the bytes are not a whole image.
    """
    flag: int = cv2.IMREAD_COLOR
    if size is not None and data[:2] == b"\xff\xd8":
        flag = _reduced_flag(data, size)
    rgb = _imdecode(data, flag & ~cv2.IMREAD_COLOR | cv2.IMREAD_COLOR_RGB)  # the decoder's own order, no second pass
    return rgb if size is None else resize_photo(rgb, size)


def resize_photo(photo: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    """Resize uint8 (H, W, 3): area averaging when shrinking, cubic when growing."""
    if photo.shape[:2] == size:
        return photo
    shrinking = size[0] <= photo.shape[0] and size[1] <= photo.shape[1]
    resized = cv2.resize(photo, size[::-1], interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC)
    return resized.astype(np.uint8, copy=False)


def decode_label_map(data: bytes, size: Size | None = None) -> NDArray[np.uint8]:
    """Decode a palette PNG to its INDICES (most readers give the palette's colors instead).

    Returns:
        uint8 (H, W), ATR ids.

    Raises:
        UnreadableError: the bytes are not a PNG with palette or gray values.
    """
    return resize_labels(_decode_indices(data, "label map", size), size)


def decode_dense_pose(data: bytes, size: Size | None = None) -> NDArray[np.uint8]:
    """Decode a gray 8-bit DensePose map.

    Returns:
        uint8 (H, W), ids 0..24.

    Raises:
        UnreadableError: the bytes are not a gray PNG, or an id is above 24; at half the file's size, one that is taken.
    """
    ids = _decode_indices(data, "dense pose", size)
    if ids.size and ids.max() > 24:
        raise UnreadableError("dense pose", expected="ids are 0 to 24", found=int(ids.max()))
    return resize_labels(ids, size)


def resize_labels(labels: NDArray[np.uint8], size: Size | None) -> NDArray[np.uint8]:
    """Resize a map of ids or a mask by nearest neighbor at pixel centers; no new ids arise."""
    if size is None or labels.shape == size:
        return labels
    return cv2.resize(labels, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT).astype(np.uint8, copy=False)


def decode_keypoints(data: bytes, size: Size) -> NDArray[np.float32]:
    """Read OpenPose-18 key points and scale them from their 512x384 frame to `size`.

    A missing joint stays as it is written, (-1, -1) with score 0, whatever the size: test the score.

    Returns:
        float32 (18, 3): x, y in pixels of `size`, score.

    Raises:
        UnreadableError: the JSON has no 18 key points of at least three numbers each, or one lies far outside.
    """
    try:
        with np.errstate(over="ignore"):  # what is too large becomes infinite
            points = np.array([point[:3] for point in json.loads(data)["keypoints"]], np.float32)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise UnreadableError("keypoints", expected="is JSON with a list `keypoints`", found=str(error)) from error
    if points.shape != (JOINTS, 3) or not np.isfinite(points).all():
        raise UnreadableError("keypoints", expected="has 18 finite points x, y, score", found=points.shape)
    if (np.abs(points[:, :2]) > MAX_COORDINATE * _FRAME).any():
        rule = f"has points within {MAX_COORDINATE} frames of {KEYPOINT_HEIGHT}x{KEYPOINT_WIDTH}"
        raise UnreadableError("keypoints", expected=rule, found=float(np.abs(points[:, :2]).max()))
    points[points[:, 2] > 0, :2] *= np.array((size[1] / KEYPOINT_WIDTH, size[0] / KEYPOINT_HEIGHT), np.float32)
    return points


def image_size(data: bytes) -> Size:
    """Height and width from a image's header, without decoding it.

    Raises:
        UnreadableError: the bytes do not start as a image does.
    """
    try:
        with Image.open(io.BytesIO(data)) as header:
            return header.height, header.width
    except _PILLOW_ERRORS as error:
        raise UnreadableError("image", expected=_WHOLE_IMAGE, found=f"{len(data)} bytes") from error


def _imdecode(data: bytes, flag: int) -> NDArray[np.uint8]:
    whole = data[:2] != b"\xff\xd8" or b"\xff\xd9" in data[-64:]  # OpenCV fills the rest of a truncated JPEG with gray
    flag |= cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flag) if data and whole else None
    except cv2.error:  # more pixels than OpenCV is willing to decode
        image = None
    if image is None:
        raise UnreadableError("image", expected=_WHOLE_IMAGE, found=f"{len(data)} bytes")
    return image  # pyright: ignore[reportReturnType]


def _reduced_flag(data: bytes, size: Size) -> int:
    height, width = image_size(data)
    factor = min(height // size[0], width // size[1])
    flags = ((8, cv2.IMREAD_REDUCED_COLOR_8), (4, cv2.IMREAD_REDUCED_COLOR_4), (2, cv2.IMREAD_REDUCED_COLOR_2))
    return next((flag for least, flag in flags if factor >= least), cv2.IMREAD_COLOR)


def _decode_indices(data: bytes, what: str, size: Size | None) -> NDArray[np.uint8]:
    """At `size`, if that is half the file's size and so read faster, or else at the file's size."""
    indices = read_indices(data, size)
    return _decode_any_indices(data, what) if indices is None else indices


def _decode_any_indices(data: bytes, what: str) -> NDArray[np.uint8]:
    """Pillow knows all kinds of PNG files, and what is wrong with those that are not whole."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.format != "PNG" or image.mode not in ("P", "L"):
                raise UnreadableError(what, expected="is a PNG with palette or gray values", found=image.mode)
            indices = np.array(image, np.uint8)
    except _PILLOW_ERRORS as error:
        # The text of this one error has a memory address in it, other in every run.
        value = "no image" if isinstance(error, UnidentifiedImageError) else str(error)
        raise UnreadableError(what, expected="is a whole PNG file", found=value) from error
    if _PNG_END not in data[-64:]:  # Pillow is content when only the file's end is cut off
        raise UnreadableError(what, expected="is a whole PNG file", found="its last chunk is missing")
    return indices
