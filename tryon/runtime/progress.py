"""The progress callback of long-running work, provided by the command line, Prefect or a test."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Progress callback. It is cheap to call often: the receiver limits the rate of updates."""

    def __call__(self, done: int, total: int, label: str, /) -> None:
        """Report that `done` of `total` items of `label` are finished."""
        ...


def no_progress(done: int, total: int, label: str, /) -> None:
    """Report nothing."""
