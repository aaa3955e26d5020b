"""Speed up imports that create very many objects, such as Prefect's."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_paused() -> Iterator[None]:
    """Disable garbage collection during the block, then exclude its objects from later collections.

    Collections take a fifth of the time of importing Prefect, and find nothing: imported classes and functions stay.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
