"""Decode the data set's files to arrays at any size. A size is always (height, width)."""

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
"""Largest distance of a key point from the origin, in frame sizes; beyond it the file is damaged."""

_PILLOW_ERRORS = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
_PNG_END = b"IEND\xaeB`\x82"
_JPEG_START, _JPEG_END = b"\xff\xd8", b"\xff\xd9"


class UnreadableError(TryOnError):
    """A file's content does not match its role."""


def decode_photo(data: bytes, size: Size | None = None) -> NDArray[np.uint8]:
    """Decode a JPEG or PNG image, ignoring its EXIF orientation, since the maps follow the stored pixels.

    A JPEG of at least twice `size` is decoded at a half, a quarter or an eighth, which costs a fraction and loses less
    than one re-encoding. The rest is area averaging.

    Returns:
        uint8 (H, W, 3), RGB, 0..255.

    Raises:
        UnreadableError: the data is not a complete image.
    """
    flag: int = cv2.IMREAD_COLOR
    if size is not None and data[:2] == _JPEG_START:
        flag = _reduced_flag(data, size)
    flag = flag & ~cv2.IMREAD_COLOR | cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    complete = data[:2] != _JPEG_START or _JPEG_END in data[-64:]  # OpenCV fills the rest of a truncated JPEG with gray
    try:
        rgb = cv2.imdecode(np.frombuffer(data, np.uint8), flag) if data and complete else None
    except cv2.error:  # more pixels than OpenCV's limit
        rgb = None
    if rgb is None:
        raise UnreadableError("image is not a complete JPEG or PNG file", found=f"{len(data)} bytes")
    return rgb if size is None else resize_photo(rgb, size)  # pyright: ignore[reportReturnType, reportArgumentType]


def resize_photo(photo: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    """Resize uint8 (H, W, 3): area averaging when shrinking, cubic when growing."""
    if photo.shape[:2] == size:
        return photo
    shrinking = size[0] <= photo.shape[0] and size[1] <= photo.shape[1]
    resized = cv2.resize(photo, size[::-1], interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC)
    return resized.astype(np.uint8, copy=False)


def decode_label_map(data: bytes, size: Size | None = None) -> NDArray[np.uint8]:
    """Decode a palette PNG to its INDICES (not the palette's colors): uint8 (H, W), ATR ids.

    Raises:
        UnreadableError: the data is not a PNG with palette or gray values.
    """
    return resize_labels(_decode_indices(data, "label map", size), size)


def decode_dense_pose(data: bytes, size: Size | None = None) -> NDArray[np.uint8]:
    """Decode a gray 8-bit DensePose map: uint8 (H, W), ids 0..24.

    Raises:
        UnreadableError: the data is not a gray PNG, or an id is above 24. At half the file's size only the ids that
            are read count.
    """
    ids = _decode_indices(data, "dense pose", size)
    if ids.size and ids.max() > 24:
        raise UnreadableError("dense pose has an id above 24", found=int(ids.max()))
    return resize_labels(ids, size)


def resize_labels(labels: NDArray[np.uint8], size: Size | None) -> NDArray[np.uint8]:
    """Resize an id map or a mask by nearest neighbor at pixel centers, so that no new ids arise."""
    if size is None or labels.shape == size:
        return labels
    return cv2.resize(labels, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT).astype(np.uint8, copy=False)


def decode_keypoints(data: bytes, size: Size) -> NDArray[np.float32]:
    """Decode OpenPose-18 key points and scale them from their 512x384 frame to `size`.

    A missing joint stays (-1, -1) with score 0 at any size: test the score.

    Returns:
        float32 (18, 3): x, y in pixels of `size`, score.

    Raises:
        UnreadableError: the JSON has not 18 key points of at least three numbers, or one is far outside the frame.
    """
    try:
        with np.errstate(over="ignore"):  # too large numbers become infinite
            points = np.array([point[:3] for point in json.loads(data)["keypoints"]], np.float32)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise UnreadableError("keypoints are not JSON with a list `keypoints`", found=str(error)) from error
    if points.shape != (JOINTS, 3) or not np.isfinite(points).all():
        raise UnreadableError("keypoints are not 18 finite points x, y, score", found=points.shape)
    if (np.abs(points[:, :2]) > MAX_COORDINATE * _FRAME).any():
        largest = float(np.abs(points[:, :2]).max())
        raise UnreadableError(
            f"keypoints are far outside their {KEYPOINT_HEIGHT}x{KEYPOINT_WIDTH} frame", found=largest
        )
    points[points[:, 2] > 0, :2] *= np.array((size[1] / KEYPOINT_WIDTH, size[0] / KEYPOINT_HEIGHT), np.float32)
    return points


def image_size(data: bytes) -> Size:
    """Read height and width from an image's header.

    Raises:
        UnreadableError: the data does not start with an image header.
    """
    try:
        with Image.open(io.BytesIO(data)) as header:
            return header.height, header.width
    except _PILLOW_ERRORS as error:
        raise UnreadableError("image is not a complete JPEG or PNG file", found=f"{len(data)} bytes") from error


def _reduced_flag(data: bytes, size: Size) -> int:
    height, width = image_size(data)
    factor = min(height // size[0], width // size[1])
    flags = ((8, cv2.IMREAD_REDUCED_COLOR_8), (4, cv2.IMREAD_REDUCED_COLOR_4), (2, cv2.IMREAD_REDUCED_COLOR_2))
    return next((flag for min_factor, flag in flags if factor >= min_factor), cv2.IMREAD_COLOR)


def _decode_indices(data: bytes, name: str, size: Size | None) -> NDArray[np.uint8]:
    """Decode at `size` if that is half the file's size, which is faster, else at the file's size.

    Pillow reads what `read_indices` does not, and reports what is wrong with damaged files.
    """
    indices = read_indices(data, size)
    if indices is not None:
        return indices
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.format != "PNG" or image.mode not in ("P", "L"):
                raise UnreadableError(f"{name} is not a PNG with palette or gray values", found=image.mode)
            indices = np.array(image, np.uint8)
    except _PILLOW_ERRORS as error:
        # The text of this one error contains a memory address, which differs from run to run.
        details = "no image" if isinstance(error, UnidentifiedImageError) else str(error)
        raise UnreadableError(f"{name} is not a complete PNG file", found=details) from error
    if _PNG_END not in data[-64:]:  # Pillow accepts a file whose end is missing
        raise UnreadableError(f"{name} is not a complete PNG file", found="no last chunk")
    return indices
