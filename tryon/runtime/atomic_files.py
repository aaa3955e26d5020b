"""Write files and folders atomically, hash them, and turn operating-system errors into messages.

Output goes to a temporary sibling that is flushed and renamed, so a killed process leaves no partial file.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tryon.errors import DiskError
from tryon.runtime.progress import Progress, no_progress

_CHUNK_SIZE = 4 << 20

_FREE_SPACE = "Free some disk space"
_CHANGE_PERMISSIONS = "Change its owner or its permissions"
_MOVE_FILE = "Move the file that is in the way"
_HINTS = {
    errno.ENOSPC: _FREE_SPACE,
    errno.EDQUOT: _FREE_SPACE,
    errno.EFBIG: "Use a file system that allows larger files",
    errno.EACCES: _CHANGE_PERMISSIONS,
    errno.EPERM: _CHANGE_PERMISSIONS,
    errno.EROFS: "Mount the disk for writing, or work in another folder",
    errno.ENOTDIR: _MOVE_FILE,
    errno.EEXIST: _MOVE_FILE,
    errno.EISDIR: "Move the folder that is in the way",
    errno.ENAMETOOLONG: "Work in a folder with a shorter path",
    errno.ELOOP: "Remove the circular links",
    errno.EIO: "Check the disk for errors",
    errno.EBUSY: "Wait for the program that uses it",
}
"""How to fix each error that a user can fix. All other numbers are treated as bugs."""

_WRITE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""Errors of write(2), which come without a file name. The others only count with one."""

RUN_AGAIN = "run the same command again; finished work is reused"


def disk_error(error: OSError, path: Path | None = None, next_step: str = RUN_AGAIN) -> DiskError | None:
    """Convert an `OSError` to a `DiskError`; return None if it may be a bug.

    Args:
        error: the original error.
        path: the file or folder being written, used if the error names none.
        next_step: what to do once the cause is fixed.
    """
    number = error.errno or 0
    if number not in _HINTS or (error.filename is None and number not in _WRITE_ERRORS):
        return None
    name = error.filename if error.filename is not None else path
    if number == errno.EEXIST and Path(os.fsdecode(name or "")).is_dir():
        return None  # creating a folder that exists is our bug
    target = "the disk" if name is None else os.fsdecode(name)
    return DiskError(
        f"cannot read or write {target}: {error.strerror or error}", hint=f"{_HINTS[number]}, then {next_step}."
    )


@contextmanager
def translate_os_errors(next_step: str = RUN_AGAIN, path: Path | None = None) -> Iterator[None]:
    """Raise operating-system errors of the block as `DiskError`; see `disk_error`."""
    try:
        yield
    except OSError as error:
        translated = disk_error(error, path, next_step)
        if translated is None:
            raise
        raise translated from error


def translate_training_os_errors(stage: str, folder: Path) -> AbstractContextManager[None]:
    """`translate_os_errors` for a training stage, which resumes from its last checkpoint."""
    return translate_os_errors(f"run `tryon {stage}` again to resume from the last checkpoint", folder)


@contextmanager
def attach_filename(path: Path) -> Iterator[None]:
    """Add `path` to write errors of the block, which carry no file name."""
    try:
        yield
    except OSError as error:
        if error.errno in _WRITE_ERRORS and error.filename is None:
            error.filename = str(path)
        raise


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary sibling to write; on success, flush it to disk and rename it to `path`.

    On an exception `path` keeps its old content. The temporary name is fixed, so leftovers of a killed process are
    overwritten by the next one.
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
    """Yield an empty temporary sibling folder; on success, replace `path` with it.

    The old folder is renamed to `.<name>.old` until the new one is in place. If a process is killed between the two
    renames, the next one restores it.

    Raises:
        NotADirectoryError: `path` is a file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary, backup = path.with_name(f".{path.name}.tmp"), path.with_name(f".{path.name}.old")
    if path.exists() and not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    _restore_backup(backup, path)
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        with attach_filename(path):
            yield temporary
            for file in temporary.rglob("*"):
                if file.is_file():
                    _flush(file)
        if path.exists():
            path.replace(backup)
        temporary.replace(path)
    finally:
        _restore_backup(backup, path)
        shutil.rmtree(temporary, ignore_errors=True)


def _restore_backup(backup: Path, path: Path) -> None:
    """Rename `backup` to `path` if that is missing, else remove it."""
    if backup.exists() and not path.exists():
        backup.replace(path)
    shutil.rmtree(backup, ignore_errors=True)


def _flush(file: Path) -> None:
    with file.open("rb") as stream:  # not for writing: the file may be read-only
        os.fsync(stream.fileno())


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically."""
    with atomic_file(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` atomically, as UTF-8."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: object) -> None:
    """Write `value` to `path` atomically, as indented JSON with the keys in their order."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def sha256_bytes(data: bytes) -> str:
    """Return the SHA-256 of `data` as 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path, progress: Progress = no_progress) -> str:
    """Return the SHA-256 of a file as 64 hex digits; `progress` counts MiB."""
    sha256, size, done = hashlib.sha256(), path.stat().st_size, 0
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_SIZE):
            sha256.update(chunk)
            done += len(chunk)
            progress(done >> 20, size >> 20, f"MiB of {path.name} hashed")
    return sha256.hexdigest()


def short_hash(value: object) -> str:
    """Return 16 hex digits of the SHA-256 of a JSON-like value, independent of its key order."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return sha256_bytes(canonical.encode())[:16]


def checksum_path(path: Path) -> Path:
    """Return the path of a file's recorded checksum, `<name>.sha256`."""
    return path.with_name(f"{path.name}.sha256")


def write_checksum(path: Path) -> None:
    """Record the SHA-256 of a finished file in `checksum_path(path)`."""
    write_text(checksum_path(path), sha256_file(path))


def checksum_ok(path: Path) -> bool:
    """Return whether a file exists and matches its recorded checksum."""
    try:
        return checksum_path(path).read_text() == sha256_file(path)
    except (OSError, UnicodeDecodeError):
        return False
