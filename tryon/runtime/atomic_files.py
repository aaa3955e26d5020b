"""Files that appear whole or not at all, what is said when the disk refuses, and the hashes that name their content."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tryon.errors import DiskError
from tryon.runtime.progress import Progress, no_progress

_CHUNK_SIZE = 4 << 20

_FULL = ("there is room for it on the disk", "Make room")
_FORBIDDEN = ("may be read and written by whoever runs this", "Change its owner or its rights")
_IN_THE_WAY = ("every folder of its path is a folder", "Move the file that is in the way")
_REFUSALS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: ("is no larger than the file system allows", "Use another disk"),
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EROFS: ("lies on a disk that can be written", "Mount the disk for writing, or work in a folder elsewhere"),
    errno.ENOTDIR: _IN_THE_WAY,
    errno.EEXIST: _IN_THE_WAY,
    errno.EISDIR: ("is a file", "Move the folder that is in the way"),
    errno.ENAMETOOLONG: ("has a name that the file system takes", "Work in a folder with a shorter path"),
    errno.ELOOP: ("leads to a file", "Remove the links that lead in a circle"),
    errno.EIO: ("can be read and written", "See whether the disk is sound"),
    errno.EBUSY: ("is not in use by another program", "Wait for that program"),
}
"""By error number: the rule that was broken, and what to do. All else that the system refuses is taken for a bug."""

_NEEDS_NO_NAME = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What the system says of a write, which names no file; the others only count with a file's name."""

RUN_AGAIN = "run the same command again: what was finished before is still there"


def disk_error(error: OSError, path: Path | None = None, next_step: str = RUN_AGAIN) -> DiskError | None:
    """What to tell the user of an error of the system, or None when it may well be a bug.

    Args:
        error: as it was raised.
        path: the file or folder that was written, where the error does not name it.
        next_step: what to do after the cause is mended.
    """
    number = error.errno or 0
    if number not in _REFUSALS or (error.filename is None and number not in _NEEDS_NO_NAME):
        return None
    name = error.filename if error.filename is not None else path
    if number == errno.EEXIST and Path(os.fsdecode(name or "")).is_dir():
        return None  # a folder that is there is no mistake of the user's
    rule, remedy = _REFUSALS[number]
    what = "the disk" if name is None else os.fsdecode(name)
    return DiskError(what, expected=rule, found=error.strerror or str(error), hint=f"{remedy}, then {next_step}.")


@contextmanager
def translate_os_errors(next_step: str = RUN_AGAIN) -> Iterator[None]:
    """Turn what the disk refuses inside the block into one message; every other error stays as it is.

    Raises:
        DiskError: it is full, a path is not what it should be, or rights are lacking.
    """
    try:
        yield
    except OSError as error:
        told = disk_error(error, next_step=next_step)
        if told is None:
            raise
        raise told from error


@contextmanager
def attach_filename(path: Path) -> Iterator[None]:
    """Give an error of writing the name of the file that was to be written, which the system does not tell."""
    try:
        yield
    except OSError as error:
        if error.errno in _NEEDS_NO_NAME and error.filename is None:
            error.filename = str(path)
        raise


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary sibling to write; on success it is flushed to disk and renamed to `path`.

    On an exception `path` keeps its old content and the temporary file goes. The temporary name is fixed, so what a
    killed process left is overwritten by the next one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with attach_filename(path):
            yield temporary
            _flush(temporary)
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a fresh temporary folder beside `path`; on success it takes the place of `path` as a whole.

    The old folder is kept as `.<name>.old` until the new one is in place. What a killed process left under that name is
    put back by the next one.

    Raises:
        NotADirectoryError: a file lies at `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary, old = path.with_name(f".{path.name}.tmp"), path.with_name(f".{path.name}.old")
    if path.exists() and not path.is_dir():  # somebody's file, which must not go
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    _restore_backup(old, path)
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        with attach_filename(path):
            yield temporary
            for file in temporary.rglob("*"):
                if file.is_file():
                    _flush(file)
        if path.exists():
            path.replace(old)
        temporary.replace(path)
    finally:
        _restore_backup(old, path)
        shutil.rmtree(temporary, ignore_errors=True)


def _restore_backup(old: Path, path: Path) -> None:
    """Leave `path` and no `old`: where a new folder never came into place, the old one is still the one that counts."""
    if old.exists() and not path.exists():
        old.replace(path)
    shutil.rmtree(old, ignore_errors=True)


def _flush(file: Path) -> None:
    with file.open("rb") as written:  # a file may be read-only
        os.fsync(written.fileno())


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` through `replacing`."""
    with atomic_file(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8 through `replacing`."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: object) -> None:
    """Write `value` as readable JSON, keys in the order given, the same bytes for the same value."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def sha256_bytes(data: bytes) -> str:
    """SHA-256 of `data`, 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path, progress: Progress = no_progress) -> str:
    """SHA-256 of a file's content, 64 hex digits, read in pieces; `progress` is told MiB."""
    total, size, done = hashlib.sha256(), path.stat().st_size, 0
    with path.open("rb") as stream:
        while piece := stream.read(_CHUNK_SIZE):
            total.update(piece)
            done += len(piece)
            progress(done >> 20, size >> 20, f"MiB of {path.name} hashed")
    return total.hexdigest()


def short_hash(value: object) -> str:
    """Short name (16 hex digits) of a JSON-like value: equal values, whatever their key order, have equal digests."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return sha256_bytes(canonical.encode())[:16]


def write_checksum(path: Path) -> None:
    """Note the SHA-256 of a finished file beside it, in `<name>.sha256`."""
    write_text(checksum_path(path), sha256_file(path))


def checksum_ok(path: Path) -> bool:
    """Whether a file is there with the content that was noted."""
    try:
        return checksum_path(path).read_text() == sha256_file(path)
    except (OSError, UnicodeDecodeError):
        return False


def checksum_path(path: Path) -> Path:
    """Where the hash of a file is noted."""
    return path.with_name(f"{path.name}.sha256")


@contextmanager
def translate_training_os_errors(stage: str, folder: Path) -> Iterator[None]:
    """Turn what the disk refuses inside the block into one message that says how the run goes on.

    Every file is written beside its old version and takes its place when it is whole, so neither the states of the run
    nor the results of the one before are lost.

    Raises:
        DiskError: the disk is full, or something in `folder` cannot be written as it is.
    """
    try:
        yield
    except OSError as error:
        told = disk_error(error, folder, f"run `tryon {stage}` again; it goes on from the last state, nothing is lost")
        if told is None:
            raise
        raise told from error
