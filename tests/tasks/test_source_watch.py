"""The source watch starts one run per stable fingerprint, even after crashes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tasks.project_lock import PIPELINE, project_lock
from tasks.source_watch import check_source, record_success
from tryon.errors import SourceError
from tryon.pipeline.external_inputs import refresh_inputs
from tryon.runtime.code_version import ROOT
from tryon.workspace import Workspace


class Starts(list[str]):
    """Keys of started runs; a repeated key starts no second run, as in Prefect."""

    def __call__(self, key: str) -> None:
        if key not in self:
            self.append(key)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "dresses" / "images").mkdir(parents=True)
    (folder / "dresses" / "train_pairs.txt").write_text("000001_0.jpg\t000001_1.jpg\n")
    return folder


@pytest.fixture
def workspace(tmp_path: Path, source: Path) -> Workspace:
    """A project whose pipeline has read the current source."""
    text = (ROOT / "params" / "default.yaml").read_text()
    (tmp_path / "params.yaml").write_text(text.replace("source: synthetic", f"source: {source.name}"))
    workspace = Workspace(tmp_path)
    finish_pipeline(workspace)
    return workspace


def finish_pipeline(workspace: Workspace) -> None:
    refresh_inputs(workspace)
    record_success(workspace)


def add_file(source: Path, item: str) -> None:
    (source / "dresses" / "images" / f"{item}_0.jpg").write_text(item)


def test_unchanged_source_starts_nothing(workspace) -> None:
    starts = Starts()
    for _ in range(3):
        assert check_source(workspace, starts) == "Source unchanged."
    assert starts == []
    assert not workspace.work_dir("watch.json").exists()


def test_growing_source_starts_one_run_once_stable(workspace, source) -> None:
    starts = Starts()
    for item in ("000002", "000003", "000004"):  # still being copied
        add_file(source, item)
        assert "stable in 1 of 2 checks" in check_source(workspace, starts)
    assert starts == []
    assert "a run was started" in check_source(workspace, starts)
    for _ in range(3):
        assert "has not read it yet" in check_source(workspace, starts)
    finish_pipeline(workspace)
    for _ in range(3):
        assert "Source unchanged" in check_source(workspace, starts)
    assert len(starts) == 1


@pytest.mark.parametrize("checks", [1, 2, 4])
def test_number_of_stable_checks_is_configurable(workspace, source, checks) -> None:
    starts = Starts()
    add_file(source, "000002")
    for number in range(1, checks + 1):
        check_source(workspace, starts, checks)
        assert len(starts) == (number == checks)


@pytest.mark.parametrize("checks", [1, 2])
def test_crash_after_a_start_starts_no_second_run(workspace, source, monkeypatch, checks) -> None:
    import tasks.source_watch as module

    starts, write_state = Starts(), module._write_state

    def crash(workspace: Workspace, state: module.WatchState) -> None:
        if state.started:
            raise KeyboardInterrupt
        write_state(workspace, state)

    add_file(source, "000002")
    with monkeypatch.context() as patch:
        patch.setattr(module, "_write_state", crash)
        for _ in range(checks - 1):
            check_source(workspace, starts, checks)
        with pytest.raises(KeyboardInterrupt):
            check_source(workspace, starts, checks)
    check_source(workspace, starts, checks)
    assert len(starts) == 1


def test_failed_start_is_retried(workspace, source) -> None:
    starts = Starts()

    def unreachable(key: str) -> None:
        raise OSError("no route to the server")

    add_file(source, "000002")
    check_source(workspace, starts)
    with pytest.raises(OSError, match="no route"):
        check_source(workspace, unreachable)
    check_source(workspace, starts)
    assert len(starts) == 1


def test_source_that_returns_to_an_earlier_state_gets_a_new_run(workspace, source) -> None:
    starts = Starts()
    extra = source / "dresses" / "images" / "000002_0.jpg"
    for number, change in enumerate([lambda: add_file(source, "000002"), extra.unlink] * 2, start=1):
        change()
        shutil.copystat(source, source)
        check_source(workspace, starts)
        check_source(workspace, starts)
        assert len(starts) == number
        finish_pipeline(workspace)
        check_source(workspace, starts)


def test_unreachable_source_fails_only_this_check(workspace, source) -> None:
    starts = Starts()
    add_file(source, "000002")
    check_source(workspace, starts)
    source.rename(source.with_name("away"))
    with pytest.raises(SourceError, match=source.name):
        check_source(workspace, starts)
    source.with_name("away").rename(source)
    assert "a run was started" in check_source(workspace, starts)


def test_checks_within_the_minimum_interval_count_once(workspace, source) -> None:
    starts = Starts()
    add_file(source, "000002")
    for _ in range(3):
        assert "stable in 1 of 2 checks" in check_source(workspace, starts, min_interval_seconds=3600.0)
    check_source(workspace, starts)
    assert len(starts) == 1


def test_failed_run_is_retried_once(workspace, source) -> None:
    starts = Starts()
    for number in (1, 2):  # each fingerprint gets its own retry
        add_file(source, f"00001{number}")
        check_source(workspace, starts)
        check_source(workspace, starts)
        refresh_inputs(workspace)  # the run recorded the source and was killed
        assert "a second run was started" in check_source(workspace, starts)
        for _ in range(3):
            assert "its runs failed" in check_source(workspace, starts)
        assert len(starts) == 2 * number
    record_success(workspace)
    assert check_source(workspace, starts) == "Source unchanged."


def test_active_run_is_reported_and_awaited(workspace, source, monkeypatch) -> None:
    starts, running = Starts(), "pipeline (process 1 since yesterday)"
    monkeypatch.setattr("tasks.source_watch.lock_holder", lambda name, _: running if name == PIPELINE else None)
    assert check_source(workspace, starts) == f"Source unchanged. Running: {running}."
    add_file(source, "000002")
    check_source(workspace, starts)
    assert running in check_source(workspace, starts)
    assert starts == []
    monkeypatch.setattr("tasks.source_watch.lock_holder", lambda *_: None)
    check_source(workspace, starts)
    assert len(starts) == 1


def test_check_calls_no_dvc_and_works_during_a_pipeline(workspace, source, monkeypatch) -> None:
    monkeypatch.setattr("subprocess.Popen", None)
    with project_lock(PIPELINE, "pipeline", workspace):
        assert "Source unchanged" in check_source(workspace, Starts())


def test_invalid_state_file_is_ignored(workspace, source) -> None:
    starts = Starts()
    add_file(source, "000002")
    check_source(workspace, starts)
    workspace.work_dir("watch.json").write_text("{")
    assert "stable in 1 of 2 checks" in check_source(workspace, starts)
    check_source(workspace, starts)
    assert len(starts) == 1
