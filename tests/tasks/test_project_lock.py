"""Project locks: exclusion, waiting, description of the holder, release on exit."""

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

pytestmark = pytest.mark.slow

HOLD = """import sys, time
from tasks.project_lock import project_lock
with project_lock("pipeline", "the pipeline"):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@pytest.fixture
def holder(workspace: Workspace) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the pipeline's lock until it reads a line."""
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


def release(child: subprocess.Popen[str]) -> None:
    child.communicate("\n", timeout=30)


def test_second_process_is_rejected_with_the_holder(workspace, holder, capsys) -> None:
    description = rf"the pipeline \(process {holder.pid} since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d"
    with pytest.raises(ProjectBusyError, match=description), project_lock(PIPELINE, "another", workspace):
        raise AssertionError("acquired twice")
    assert report_active(workspace)
    assert f"running: the pipeline (process {holder.pid} " in capsys.readouterr().err
    release(holder)
    assert not report_active(workspace)


def test_second_process_waits_with_on_wait(workspace, holder) -> None:
    start, messages = time.monotonic(), []
    threading.Timer(2.5, lambda: release(holder)).start()
    with project_lock(PIPELINE, "another", workspace, on_wait=messages.append):
        assert time.monotonic() - start >= 2
        assert holder.wait(10) == 0
    (text,) = messages
    assert "Waiting for the pipeline (process" in text


def test_lock_of_a_killed_holder_is_free(workspace, holder) -> None:
    holder.kill()
    holder.wait()
    assert (workspace.work_dir("running") / "pipeline.json").exists()
    assert active_processes(workspace) == []
    with project_lock(PIPELINE, "another", workspace):
        pass


def test_lock_is_reentrant(workspace) -> None:
    with project_lock(PIPELINE, "outer", workspace):
        with project_lock(PIPELINE, "inner", workspace):
            assert "outer" in (workspace.work_dir("running") / "pipeline.json").read_text()
        assert (workspace.work_dir("running") / "pipeline.json").exists()
    assert not (workspace.work_dir("running") / "pipeline.json").exists()


def test_queries_do_not_write_to_an_idle_project(workspace) -> None:
    assert lock_holder(PIPELINE, workspace) is None
    assert active_processes(workspace) == []
    assert list(workspace.root.iterdir()) == []
