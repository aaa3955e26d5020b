"""A disk that is full ends a run in one sentence; what was there before is still there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tryon.files import disk_error


@contextmanager
def told_when_full(stage: str, folder: Path) -> Iterator[None]:
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
