"""A full disk ends a run in one sentence; what was there before it was full is still there."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tryon.errors import TryOnError


@contextmanager
def told_when_full(stage: str, folder: Path) -> Iterator[None]:
    """Turn the error of a full disk inside the block into one that says what to do.

    Every file is written beside its old version and takes its place when it is whole, so neither the states of the run
    nor the results of the one before are lost.

    Raises:
        TryOnError: no space was left on the device, or none in the user's quota.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        rule = "there is room for two states of the run, its best one and its results"
        remedy = f"Nothing is lost: make room, then run `tryon {stage}` again; it goes on from the last state."
        raise TryOnError(f"disk of {folder}", rule=rule, value=error.strerror, remedy=remedy) from error
