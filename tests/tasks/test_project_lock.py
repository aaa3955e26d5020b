"""Who holds a lock is told to whoever wants it; the dead hold nothing."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.project_lock import PIPELINE, ProjectBusyError, active_processes, lock_holder, project_lock, report_active
from tryon.workspace import Workspace

HOLD = """import sys, time
from tasks.project_lock import holding
with holding("pipeline", "the pipeline"):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@pytest.fixture
def other(workspace: Workspace) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the pipeline's lock until it is told to let go."""
    root = Path(__file__).parent.parent.parent
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        cwd=workspace.root,
        env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    yield child
    child.kill()
    child.communicate()


def let_go(child: subprocess.Popen[str]) -> None:
    child.communicate("\n", timeout=30)


def test_the_second_is_refused_and_told_who_holds_it_and_since_when(workspace, other, capsys) -> None:
    told = rf"the pipeline \(process {other.pid} since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d"
    with pytest.raises(ProjectBusyError, match=told), project_lock(PIPELINE, "another", workspace):
        raise AssertionError("held twice")
    assert report_active(workspace)
    assert f"running: the pipeline (process {other.pid} " in capsys.readouterr().err
    let_go(other)
    assert not report_active(workspace)


def test_the_second_waits_if_it_wants_to(workspace, other) -> None:
    since, said = time.monotonic(), []
    threading.Timer(2.5, lambda: let_go(other)).start()
    with project_lock(PIPELINE, "another", workspace, wait=said.append):
        assert time.monotonic() - since >= 2
        assert other.wait(10) == 0
    (text,) = said
    assert "Waiting for the pipeline (process" in text


def test_a_dead_holder_is_no_obstacle(workspace, other) -> None:
    other.kill()
    other.wait()
    assert (workspace.work_dir("running") / "pipeline.json").exists()
    assert active_processes(workspace) == []
    with project_lock(PIPELINE, "another", workspace):
        pass


def test_it_may_be_held_again_inside(workspace) -> None:
    with project_lock(PIPELINE, "outer", workspace):
        with project_lock(PIPELINE, "inner", workspace):
            assert "outer" in (workspace.work_dir("running") / "pipeline.json").read_text()
        assert (workspace.work_dir("running") / "pipeline.json").exists()
    assert not (workspace.work_dir("running") / "pipeline.json").exists()


def test_a_project_in_which_nothing_runs_is_only_looked_at(workspace) -> None:
    assert lock_holder(PIPELINE, workspace) is None
    assert active_processes(workspace) == []
    assert list(workspace.root.iterdir()) == []
