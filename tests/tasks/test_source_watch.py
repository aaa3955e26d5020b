"""When a look at the source starts a run: once for each state that has come to rest, whatever crashes in between."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tasks.project_lock import PIPELINE, holding
from tasks.source_watch import note_finished, tick
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
    note_finished(workspace)


def grow(source: Path, item: str) -> None:
    (source / "dresses" / "images" / f"{item}_0.jpg").write_text(item)


def test_a_source_that_rests_starts_nothing(workspace) -> None:
    starts = Starts()
    for _ in range(3):
        assert tick(workspace, starts) == "The source is as it was."
    assert starts == []
    assert not workspace.staging("watch.json").exists()


def test_a_source_that_grows_starts_one_run_when_it_has_come_to_rest(workspace, source) -> None:
    starts = Starts()
    for item in ("000002", "000003", "000004"):  # still being copied
        grow(source, item)
        assert "1 of 2 times" in tick(workspace, starts)
    assert starts == []
    assert "a run was started" in tick(workspace, starts)
    for _ in range(3):
        assert "has not looked at it yet" in tick(workspace, starts)
    pipeline_ran(workspace)
    for _ in range(3):
        assert "as it was" in tick(workspace, starts)
    assert len(starts) == 1


@pytest.mark.parametrize("ticks", [1, 2, 4])
def test_how_long_is_quiet_can_be_chosen(workspace, source, ticks) -> None:
    starts = Starts()
    grow(source, "000002")
    for number in range(1, ticks + 1):
        tick(workspace, starts, ticks)
        assert len(starts) == (number == ticks)


@pytest.mark.parametrize("ticks", [1, 2])
def test_a_crash_after_the_start_starts_no_other_run(workspace, source, monkeypatch, ticks) -> None:
    import tasks.source_watch as module

    starts, remember = Starts(), module._remember

    def crash(workspace: Workspace, memory: module.Memory) -> None:
        if memory.started:
            raise KeyboardInterrupt
        remember(workspace, memory)

    grow(source, "000002")
    with monkeypatch.context() as patch:
        patch.setattr(module, "_remember", crash)
        for _ in range(ticks - 1):
            tick(workspace, starts, ticks)
        with pytest.raises(KeyboardInterrupt):
            tick(workspace, starts, ticks)
    tick(workspace, starts, ticks)
    assert len(starts) == 1


def test_a_start_that_failed_is_tried_again(workspace, source) -> None:
    starts = Starts()

    def unreachable(key: str) -> None:
        raise OSError("no route to the server")

    grow(source, "000002")
    tick(workspace, starts)
    with pytest.raises(OSError, match="no route"):
        tick(workspace, unreachable)
    tick(workspace, starts)
    assert len(starts) == 1


def test_a_source_that_goes_back_to_an_earlier_state_gets_a_run_of_its_own(workspace, source) -> None:
    starts = Starts()
    extra = source / "dresses" / "images" / "000002_0.jpg"
    for number, change in enumerate([lambda: grow(source, "000002"), extra.unlink] * 2, start=1):
        change()
        shutil.copystat(source, source)
        tick(workspace, starts)
        tick(workspace, starts)
        assert len(starts) == number
        pipeline_ran(workspace)
        tick(workspace, starts)


def test_a_source_that_is_out_of_reach_fails_this_look_and_not_the_next(workspace, source) -> None:
    starts = Starts()
    grow(source, "000002")
    tick(workspace, starts)
    source.rename(source.with_name("away"))
    with pytest.raises(SourceError, match="exists"):
        tick(workspace, starts)
    source.with_name("away").rename(source)
    assert "a run was started" in tick(workspace, starts)


def test_two_looks_at_once_are_one(workspace, source) -> None:
    starts = Starts()
    grow(source, "000002")
    for _ in range(3):
        assert "1 of 2 times" in tick(workspace, starts, apart=3600.0)
    tick(workspace, starts)
    assert len(starts) == 1


def test_a_run_that_did_not_end_well_is_started_again_once(workspace, source) -> None:
    starts = Starts()
    for number in (1, 2):  # what fails for one state of the source may go well for the next
        grow(source, f"00001{number}")
        tick(workspace, starts)
        tick(workspace, starts)
        refresh_inputs(workspace)  # the run noted the source and was killed
        assert "one was started again" in tick(workspace, starts)
        for _ in range(3):
            assert "no run on it has ended well" in tick(workspace, starts)
        assert len(starts) == 2 * number
    note_finished(workspace)
    assert tick(workspace, starts) == "The source is as it was."


def test_a_run_that_goes_on_is_told_and_waited_for(workspace, source, monkeypatch) -> None:
    starts, running = Starts(), "pipeline (process 1 since yesterday)"
    monkeypatch.setattr("tasks.source_watch.holder_of", lambda name, _: running if name == PIPELINE else None)
    assert tick(workspace, starts) == f"The source is as it was. Running: {running}."
    grow(source, "000002")
    tick(workspace, starts)
    assert running in tick(workspace, starts)
    assert starts == []
    monkeypatch.setattr("tasks.source_watch.holder_of", lambda *_: None)
    tick(workspace, starts)
    assert len(starts) == 1


def test_looking_asks_dvc_nothing_and_holds_up_no_pipeline(workspace, source, monkeypatch) -> None:
    monkeypatch.setattr("subprocess.Popen", None)
    with holding(PIPELINE, "pipeline", workspace):
        assert "as it was" in tick(workspace, Starts())


def test_what_is_remembered_may_be_lost(workspace, source) -> None:
    starts = Starts()
    grow(source, "000002")
    tick(workspace, starts)
    workspace.staging("watch.json").write_text("{")
    assert "1 of 2" in tick(workspace, starts)
    tick(workspace, starts)
    assert len(starts) == 1
