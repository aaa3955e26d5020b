"""Files that appear whole or not at all, and the hashes that name their content."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tryon.progress import Progress, silent

_PIECE = 4 << 20


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary sibling to write; on success it is flushed to disk and renamed to `path`.

    On an exception `path` keeps its old content and the temporary file goes. The temporary name is fixed, so what a
    killed process left is overwritten by the next one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        yield temporary
        _flush(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Yield a fresh temporary folder beside `path`; on success it takes the place of `path` as a whole.

    The old folder is kept as `.<name>.old` until the new one is in place. What a killed process left under that name is
    put back by the next one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary, old = path.with_name(f".{path.name}.tmp"), path.with_name(f".{path.name}.old")
    _put_back(old, path)
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
        for file in temporary.rglob("*"):
            if file.is_file():
                _flush(file)
        if path.exists():
            path.replace(old)
        temporary.replace(path)
    finally:
        _put_back(old, path)
        shutil.rmtree(temporary, ignore_errors=True)


def _put_back(old: Path, path: Path) -> None:
    """Leave `path` and no `old`: where a new folder never came into place, the old one is still the one that counts."""
    if old.exists() and not path.exists():
        old.replace(path)
    shutil.rmtree(old, ignore_errors=True)


def _flush(file: Path) -> None:
    with file.open("rb") as written:  # a file may be read-only
        os.fsync(written.fileno())


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` through `replacing`."""
    with replacing(path) as temporary:
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


def sha256_file(path: Path, progress: Progress = silent) -> str:
    """SHA-256 of a file's content, 64 hex digits, read in pieces; `progress` is told MiB."""
    total, size, done = hashlib.sha256(), path.stat().st_size, 0
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            total.update(piece)
            done += len(piece)
            progress(done >> 20, size >> 20, f"MiB of {path.name} hashed")
    return total.hexdigest()


def digest(value: object) -> str:
    """Short name (16 hex digits) of a JSON-like value: equal values, whatever their key order, have equal digests."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return sha256_bytes(canonical.encode())[:16]
