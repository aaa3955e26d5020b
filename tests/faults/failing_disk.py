"""Disks that fail: a small one that fills up, and a folder that is read-only. Both are mounted, which needs root."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DISK_SIZE = "256m"


def mount_problem() -> str | None:
    """Return why this process cannot mount a file system, or None if it can."""
    if not shutil.which("mount"):
        return "there is no mount command"
    folder = Path(f"/tmp/mount-test-{os.getpid()}")
    folder.mkdir()
    try:
        result = _mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder))
        if result.returncode == 0:
            _unmount(folder)
        return None if result.returncode == 0 else f"mount failed: {result.stderr.strip()}"
    finally:
        folder.rmdir()


@contextmanager
def small_disk(path: Path) -> Iterator[Path]:
    """Mount an in-memory disk of `DISK_SIZE` at `path`."""
    path.mkdir(parents=True)
    assert _mount("-t", "tmpfs", "-o", f"size={DISK_SIZE}", "tmpfs", str(path)).returncode == 0
    try:
        yield path
    finally:
        _unmount(path)


@contextmanager
def filled(disk: Path, free: int) -> Iterator[None]:
    """Fill a disk up to `free` remaining bytes."""
    filler = disk / "filler"
    with filler.open("wb") as stream:
        os.posix_fallocate(stream.fileno(), 0, max(1, shutil.disk_usage(disk).free - free))
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make a folder read-only, for root as well."""
    assert _mount("--bind", str(folder), str(folder)).returncode == 0
    try:
        assert _mount("-o", "remount,ro,bind", str(folder)).returncode == 0
        yield
    finally:
        _unmount(folder)


def _mount(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)


def _unmount(path: Path) -> None:
    subprocess.run(["umount", "--lazy", str(path)], check=True)
