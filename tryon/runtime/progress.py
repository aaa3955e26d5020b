"""How long work reports where it is: a callback that the command line, Prefect or a test provides."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called as work goes on; cheap to call often, the receiver thins it out."""

    def __call__(self, done: int, total: int, what: str) -> None:
        """Tell that `done` of `total` items of `what` are finished."""
        ...


def no_progress(done: int, total: int, what: str) -> None:
    """Report nothing."""
