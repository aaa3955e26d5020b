"""Results and errors of `map_chunks` do not depend on the number of workers."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from tryon.dresscode.pair_lists import parse_pair_list
from tryon.errors import ParameterError, SourceError, TryOnError
from tryon.runtime.process_pool import map_chunks, split_chunks, worker_count
from tryon.runtime.progress import no_progress


@pytest.mark.parametrize("workers", ["1", "2", "7"])
def test_results_are_in_order_for_any_number_of_workers(monkeypatch: pytest.MonkeyPatch, workers: str) -> None:
    monkeypatch.setenv("TRYON_WORKERS", workers)
    seen: list[tuple[int, int, str]] = []
    results = map_chunks(sum, split_chunks(range(10), 3), lambda *report: seen.append(report), "sums")
    assert results == [3, 12, 21, 9]
    assert (seen[0], seen[-1]) == ((0, 10, "sums"), (10, 10, "sums"))
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_error_of_a_worker_is_raised_unchanged(monkeypatch: pytest.MonkeyPatch, workers: str) -> None:
    monkeypatch.setenv("TRYON_WORKERS", workers)
    with pytest.raises(SourceError, match="line 1 of the list"):
        map_chunks(partial(parse_pair_list, name="the list"), split_chunks("nonsense", 4), no_progress, "lists")


def test_chunks_contain_every_item_once() -> None:
    assert [list(part) for part in split_chunks(range(7), 3)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert split_chunks([], 3) == []
    assert map_chunks(sum, [], no_progress, "nothing") == []


def test_invalid_number_of_workers_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ("0", "-1", "two", ""):
        monkeypatch.setenv("TRYON_WORKERS", wrong)
        with pytest.raises(ParameterError, match="TRYON_WORKERS"):
            worker_count()
    monkeypatch.delenv("TRYON_WORKERS")
    assert worker_count() >= 1


@pytest.mark.parametrize(("quota", "workers"), [("150000 100000", 2), ("1000 100000", 1), ("max 100000", 4)])
def test_container_quota_limits_workers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, quota: str, workers: int
) -> None:
    monkeypatch.delenv("TRYON_WORKERS", raising=False)
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(4)), raising=False)
    monkeypatch.setattr("tryon.runtime.process_pool.CPU_MAX", tmp_path / "cpu.max")
    (tmp_path / "cpu.max").write_text(quota + "\n")
    assert worker_count() == workers


def test_killed_worker_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRYON_WORKERS", "2")
    with pytest.raises(TryOnError, match=r"worker process was killed.*TRYON_WORKERS"):
        map_chunks(killed, split_chunks(range(2), 1), no_progress, "deaths")


def killed(part: Sequence[int]) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
