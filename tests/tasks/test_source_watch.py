"""When a look at the source starts a run: once for each state that has come to rest, whatever crashes in between."""

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
    """Keys that runs were started with, one run for each key, as Prefect has it."""

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
    """A project whose pipeline has seen the source as it is."""
    text = (ROOT / "params" / "default.yaml").read_text()
    (tmp_path / "params.yaml").write_text(text.replace("source: synthetic", f"source: {source.name}"))
    workspace = Workspace(tmp_path)
    pipeline_ran(workspace)
    return workspace


def pipeline_ran(workspace: Workspace) -> None:
    refresh_inputs(workspace)
    record_success(workspace)


def grow(source: Path, item: str) -> None:
    (source / "dresses" / "images" / f"{item}_0.jpg").write_text(item)


def test_a_source_that_rests_starts_nothing(workspace) -> None:
    starts = Starts()
    for _ in range(3):
        assert check_source(workspace, starts) == "The source is as it was."
    assert starts == []
    assert not workspace.work_dir("watch.json").exists()


def test_a_source_that_grows_starts_one_run_when_it_has_come_to_rest(workspace, source) -> None:
    starts = Starts()
    for item in ("000002", "000003", "000004"):  # still being copied
        grow(source, item)
        assert "1 of 2 times" in check_source(workspace, starts)
    assert starts == []
    assert "a run was started" in check_source(workspace, starts)
    for _ in range(3):
        assert "has not looked at it yet" in check_source(workspace, starts)
    pipeline_ran(workspace)
    for _ in range(3):
        assert "as it was" in check_source(workspace, starts)
    assert len(starts) == 1


@pytest.mark.parametrize("ticks", [1, 2, 4])
def test_how_long_is_quiet_can_be_chosen(workspace, source, ticks) -> None:
    starts = Starts()
    grow(source, "000002")
    for number in range(1, ticks + 1):
        check_source(workspace, starts, ticks)
        assert len(starts) == (number == ticks)


@pytest.mark.parametrize("ticks", [1, 2])
def test_a_crash_after_the_start_starts_no_other_run(workspace, source, monkeypatch, ticks) -> None:
    import tasks.source_watch as module

    starts, remember = Starts(), module._write_state

    def crash(workspace: Workspace, memory: module.WatchState) -> None:
        if memory.started:
            raise KeyboardInterrupt
        remember(workspace, memory)

    grow(source, "000002")
    with monkeypatch.context() as patch:
        patch.setattr(module, "_write_state", crash)
        for _ in range(ticks - 1):
            check_source(workspace, starts, ticks)
        with pytest.raises(KeyboardInterrupt):
            check_source(workspace, starts, ticks)
    check_source(workspace, starts, ticks)
    assert len(starts) == 1


def test_a_start_that_failed_is_tried_again(workspace, source) -> None:
    starts = Starts()

    def unreachable(key: str) -> None:
        raise OSError("no route to the server")

    grow(source, "000002")
    check_source(workspace, starts)
    with pytest.raises(OSError, match="no route"):
        check_source(workspace, unreachable)
    check_source(workspace, starts)
    assert len(starts) == 1


def test_a_source_that_goes_back_to_an_earlier_state_gets_a_run_of_its_own(workspace, source) -> None:
    starts = Starts()
    extra = source / "dresses" / "images" / "000002_0.jpg"
    for number, change in enumerate([lambda: grow(source, "000002"), extra.unlink] * 2, start=1):
        change()
        shutil.copystat(source, source)
        check_source(workspace, starts)
        check_source(workspace, starts)
        assert len(starts) == number
        pipeline_ran(workspace)
        check_source(workspace, starts)


def test_a_source_that_is_out_of_reach_fails_this_look_and_not_the_next(workspace, source) -> None:
    starts = Starts()
    grow(source, "000002")
    check_source(workspace, starts)
    source.rename(source.with_name("away"))
    with pytest.raises(SourceError, match="exists"):
        check_source(workspace, starts)
    source.with_name("away").rename(source)
    assert "a run was started" in check_source(workspace, starts)


def test_two_looks_at_once_are_one(workspace, source) -> None:
    starts = Starts()
    grow(source, "000002")
    for _ in range(3):
        assert "1 of 2 times" in check_source(workspace, starts, min_interval_seconds=3600.0)
    check_source(workspace, starts)
    assert len(starts) == 1


def test_a_run_that_did_not_end_well_is_started_again_once(workspace, source) -> None:
    starts = Starts()
    for number in (1, 2):  # what fails for one state of the source may go well for the next
        grow(source, f"00001{number}")
        check_source(workspace, starts)
        check_source(workspace, starts)
        refresh_inputs(workspace)  # the run noted the source and was killed
        assert "one was started again" in check_source(workspace, starts)
        for _ in range(3):
            assert "no run on it has ended well" in check_source(workspace, starts)
        assert len(starts) == 2 * number
    record_success(workspace)
    assert check_source(workspace, starts) == "The source is as it was."


def test_a_run_that_goes_on_is_told_and_waited_for(workspace, source, monkeypatch) -> None:
    starts, running = Starts(), "pipeline (process 1 since yesterday)"
    monkeypatch.setattr("tasks.source_watch.lock_holder", lambda name, _: running if name == PIPELINE else None)
    assert check_source(workspace, starts) == f"The source is as it was. Running: {running}."
    grow(source, "000002")
    check_source(workspace, starts)
    assert running in check_source(workspace, starts)
    assert starts == []
    monkeypatch.setattr("tasks.source_watch.lock_holder", lambda *_: None)
    check_source(workspace, starts)
    assert len(starts) == 1


def test_looking_asks_dvc_nothing_and_holds_up_no_pipeline(workspace, source, monkeypatch) -> None:
    monkeypatch.setattr("subprocess.Popen", None)
    with project_lock(PIPELINE, "pipeline", workspace):
        assert "as it was" in check_source(workspace, Starts())


def test_what_is_remembered_may_be_lost(workspace, source) -> None:
    starts = Starts()
    grow(source, "000002")
    check_source(workspace, starts)
    workspace.work_dir("watch.json").write_text("{")
    assert "1 of 2" in check_source(workspace, starts)
    check_source(workspace, starts)
    assert len(starts) == 1
