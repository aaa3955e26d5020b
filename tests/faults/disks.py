"""Disks that refuse: a small one that fills up, a folder that cannot be written. Both are mounted, which takes root."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SIZE = "256m"


def refusal() -> str | None:
    """Why nothing can be mounted here; None if it can."""
    if not shutil.which("mount"):
        return "there is no mount command"
    place = Path(f"/tmp/mount-test-{os.getpid()}")
    place.mkdir()
    try:
        done = _mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place))
        if done.returncode == 0:
            _unmount(place)
        return None if done.returncode == 0 else f"nothing may be mounted here: {done.stderr.strip()}"
    finally:
        place.rmdir()


@contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """A disk in memory at `place`."""
    place.mkdir(parents=True)
    assert _mount("-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)).returncode == 0
    try:
        yield place
    finally:
        _unmount(place)


@contextmanager
def filled(disk: Path, room: int) -> Iterator[None]:
    """Leave only `room` bytes free on a disk."""
    filler = disk / "filler"
    with filler.open("wb") as stream:
        os.posix_fallocate(stream.fileno(), 0, max(1, shutil.disk_usage(disk).free - room))
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make a folder one that nobody can write, root included."""
    assert _mount("--bind", str(folder), str(folder)).returncode == 0
    try:
        assert _mount("-o", "remount,ro,bind", str(folder)).returncode == 0
        yield
    finally:
        _unmount(folder)


def _mount(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)


def _unmount(place: Path) -> None:
    subprocess.run(["umount", "--lazy", str(place)], check=True)
