"""Validate the content of raw files by role: each is hashed, decoded and compared with the data set's format.

Content that was verified by an earlier run is only hashed.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tryon.dresscode.labels import Label
from tryon.dresscode.layout import HEIGHT, WIDTH
from tryon.dresscode.readers import (
    UnreadableError,
    decode_dense_pose,
    decode_keypoints,
    decode_label_map,
    decode_photo,
    image_size,
)
from tryon.runtime.atomic_files import sha256_bytes
from tryon.synthetic.ground_truth_io import decode_flow

SIZE = (HEIGHT, WIDTH)


class FileToCheck(NamedTuple):
    """A file with its role, and the SHA-256 of content that was verified before."""

    role: str
    relative: str
    verified_sha256: str | None = None


class FileFacts(NamedTuple):
    """Size, hash and problem of a file; `cached` if the result is of an earlier run."""

    bytes: int
    sha256: str
    problem: str | None = None
    found: str | None = None
    cached: bool = False


def check_files(raw: Path, files: Sequence[FileToCheck]) -> list[FileFacts]:
    """Check files below `raw`, in order; runs in worker processes."""
    return [check_file(file.role, (raw / file.relative).read_bytes(), file.verified_sha256) for file in files]


def check_file(role: str, data: bytes, verified_sha256: str | None = None) -> FileFacts:
    """Check the content of one file, unless its hash is that of content verified before in this role."""
    sha256 = sha256_bytes(data)
    if sha256 == verified_sha256:
        return FileFacts(len(data), sha256, cached=True)
    try:
        _CHECKS[role](data)
    except UnreadableError as error:
        return FileFacts(len(data), sha256, error.problem, None if error.found is None else str(error.found))
    return FileFacts(len(data), sha256)


def _check_photo(data: bytes) -> None:
    _check_size(data)
    decode_photo(data)


def _check_label_map(data: bytes) -> None:
    _check_size(data)
    ids = decode_label_map(data)
    if ids.max() > max(Label):
        raise UnreadableError(f"label map has an id above {max(Label)}", found=int(ids.max()))


def _check_dense_pose(data: bytes) -> None:
    _check_size(data)
    decode_dense_pose(data)


def _check_keypoints(data: bytes) -> None:
    decode_keypoints(data, SIZE)


def _check_skeleton(data: bytes) -> None:
    height, width = image_size(data)
    if height > HEIGHT or width > WIDTH:
        raise UnreadableError(f"image is larger than {HEIGHT}x{WIDTH}", found=f"{height}x{width}")
    decode_photo(data)


def _check_uv(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as content:
            uv = np.lib.format.read_array(io.BytesIO(content.read("uv.npy")), allow_pickle=False)
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, KeyError, EOFError) as error:
        raise UnreadableError("uv is not a complete npz file with the key uv", found=str(error)) from error
    if uv.shape != (2, *SIZE):
        raise UnreadableError(f"uv shape is not 2x{HEIGHT}x{WIDTH}", found=uv.shape)


def _check_flow(data: bytes) -> None:
    _check_size(data)
    try:
        flow, _ = decode_flow(data)
    except ValueError as error:
        raise UnreadableError("flow is not a 16-bit PNG of three channels") from error
    largest = flow.max((0, 1))
    if (largest >= (WIDTH, HEIGHT)).any():
        raise UnreadableError("flow points outside the garment image", found=tuple(largest.tolist()))


def _check_size(data: bytes) -> None:
    """Check the header, so that an image that claims to be huge is not decoded."""
    height, width = image_size(data)
    if (height, width) != SIZE:
        raise UnreadableError(f"image size is not {HEIGHT}x{WIDTH}", found=f"{height}x{width}")


_CHECKS: dict[str, Callable[[bytes], None]] = {
    "person": _check_photo,
    "garment": _check_photo,
    "label_map": _check_label_map,
    "dense_pose": _check_dense_pose,
    "keypoints": _check_keypoints,
    "skeleton": _check_skeleton,
    "uv": _check_uv,
    "truth": _check_photo,
    "truth_label_map": _check_label_map,
    "flow": _check_flow,
}
