"""Is a file what its role says? Each is read once: hashed, decoded whole, compared with the data set's rules.

What is known to have passed before is only hashed.
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
    """A file and what it has to be; `passed` is the SHA-256 of a content that was right before."""

    role: str
    relative: str
    passed: str | None = None


class FileFacts(NamedTuple):
    """What was found; `rule` is the broken one, None when all is well. `known`: the verdict is an earlier one."""

    bytes: int
    sha256: str
    problem: str | None = None
    found: str | None = None
    cached: bool = False


def check_files(raw: Path, files: Sequence[FileToCheck]) -> list[FileFacts]:
    """Check files below `raw`, in order; runs in worker processes."""
    return [check_file(file.role, (raw / file.relative).read_bytes(), file.passed) for file in files]


def check_file(role: str, data: bytes, passed: str | None = None) -> FileFacts:
    """Check one file's content.

    Args:
        role: person, garment, label_map, dense_pose, keypoints, skeleton, uv, truth, truth_label_map or flow.
        data: the content.
        passed: SHA-256 of a content that has passed before in this role.
    """
    sha256 = sha256_bytes(data)
    if sha256 == passed:
        return FileFacts(len(data), sha256, cached=True)
    rule = value = None
    try:
        _CHECKS[role](data)
    except UnreadableError as error:
        rule, value = error.expected, None if error.found is None else str(error.found)
    return FileFacts(len(data), sha256, rule, value)


def _check_photo(data: bytes) -> None:
    _check_size(data)
    decode_photo(data)


def _check_label_map(data: bytes) -> None:
    _check_size(data)
    ids = decode_label_map(data)
    if ids.max() > max(Label):
        raise UnreadableError("label map", expected=f"ids are 0 to {max(Label)}", found=int(ids.max()))


def _check_dense_pose(data: bytes) -> None:
    _check_size(data)
    decode_dense_pose(data)


def _check_keypoints(data: bytes) -> None:
    decode_keypoints(data, SIZE)


def _check_skeleton(data: bytes) -> None:
    height, width = image_size(data)
    if height > HEIGHT or width > WIDTH:
        raise UnreadableError("image", expected=f"is at most {HEIGHT}x{WIDTH}", found=f"{height}x{width}")
    decode_photo(data)


def _check_uv(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as content:
            uv = np.lib.format.read_array(io.BytesIO(content.read("uv.npy")), allow_pickle=False)
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, KeyError, EOFError) as error:
        raise UnreadableError("uv", expected="is a whole npz file with the key uv", found=str(error)) from error
    if uv.shape != (2, *SIZE):
        raise UnreadableError("uv", expected=f"has the shape 2x{HEIGHT}x{WIDTH}", found=uv.shape)


def _check_flow(data: bytes) -> None:
    _check_size(data)
    try:
        flow, _ = decode_flow(data)
    except ValueError as error:
        raise UnreadableError("flow", expected="is a PNG of 16 bit and three channels") from error
    furthest = flow.max((0, 1))
    if (furthest >= (WIDTH, HEIGHT)).any():
        raise UnreadableError("flow", expected="stays in the garment's image", found=tuple(furthest.tolist()))


def _check_size(data: bytes) -> None:
    """Compare the header first: a image that claims to be huge is not decoded at all."""
    found = image_size(data)
    if found != SIZE:
        raise UnreadableError("image", expected=f"is {HEIGHT}x{WIDTH} (height x width)", found=f"{found[0]}x{found[1]}")


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
