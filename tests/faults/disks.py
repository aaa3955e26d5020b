"""Mounts for tests, which need root: a small disk, and a read-only folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SIZE = "256m"


def why_not_mountable() -> str | None:
    """Return why nothing can be mounted here; None if it can."""
    if not shutil.which("mount"):
        return "there is no mount command"
    folder = Path(f"/tmp/mount-test-{os.getpid()}")
    folder.mkdir()
    try:
        done = _mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder))
        if done.returncode == 0:
            _unmount(folder)
        return None if done.returncode == 0 else f"mounting is not permitted: {done.stderr.strip()}"
    finally:
        folder.rmdir()


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a disk in memory at `folder`."""
    folder.mkdir(parents=True)
    assert _mount("-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)).returncode == 0
    try:
        yield folder
    finally:
        _unmount(folder)


@contextmanager
def filled(disk: Path, free: int) -> Iterator[None]:
    """Fill a disk up to `free` bytes."""
    filler = disk / "filler"
    with filler.open("wb") as stream:
        os.posix_fallocate(stream.fileno(), 0, max(1, shutil.disk_usage(disk).free - free))
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make a folder read-only, even for root."""
    assert _mount("--bind", str(folder), str(folder)).returncode == 0
    try:
        assert _mount("-o", "remount,ro,bind", str(folder)).returncode == 0
        yield
    finally:
        _unmount(folder)


def _mount(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)


def _unmount(folder: Path) -> None:
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
