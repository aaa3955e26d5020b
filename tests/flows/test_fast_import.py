"""Garbage collection is paused during imports, resumed afterwards, and skips their objects."""

from __future__ import annotations

import gc

import pytest

from flows.fast_import import gc_paused

pytestmark = pytest.mark.slow


def test_collection_is_paused_inside_and_resumed_after() -> None:
    with gc_paused():
        assert not gc.isenabled()
        objects = [[] for _ in range(1000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= len(objects)
    gc.unfreeze()


def test_failed_import_resumes_collection() -> None:
    with pytest.raises(ImportError), gc_paused():
        raise ImportError("no such module")
    assert gc.isenabled()
    gc.unfreeze()
