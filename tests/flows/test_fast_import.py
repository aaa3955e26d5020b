"""Garbage is collected as before once imports are done, and what they made is left out."""

from __future__ import annotations

import gc

import pytest

from flows.fast_import import gc_paused


def test_collection_rests_within_and_goes_on_after() -> None:
    with gc_paused():
        assert not gc.isenabled()
        kept = [[] for _ in range(1000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= len(kept)
    gc.unfreeze()


def test_a_failed_import_leaves_it_on() -> None:
    with pytest.raises(ImportError), gc_paused():
        raise ImportError("no such module")
    assert gc.isenabled()
    gc.unfreeze()
