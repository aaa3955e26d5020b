"""SIGKILL of flow, DVC, stage, server and runner under `make serve`: runs end, and the next one succeeds."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from flows.prefect_server import DATABASE_ENV
from tests.flows.conftest import Project
from tests.flows.serving import Served, stop, wait_until

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc"),
]

SEED = 22
OUTPUTS = ("download", "sample", "pretrain")
MAX_SECONDS = 120.0
"""Seconds until a run whose process was killed must have ended."""

ENDS = {"flow": ("CRASHED",), "dvc": ("FAILED",), "stage": ("FAILED",), "server": ("COMPLETED", "FAILED", "CRASHED")}
"""Allowed states of the run by killed process. A run that is just starting may not survive the death of the server."""

KILLS = [("flow", "early"), ("flow", "in a stage"), ("dvc", "in a stage"), ("stage", "in a stage")]
KILLS += [("server", "early"), ("server", "in a stage")]

RUNNING = {"state": {"type": {"any_": ["RUNNING", "PENDING", "CANCELLING"]}}}


def new_served(root: Path) -> Served:
    project = Project.new(root)
    stage = project.root / "stage.py"
    stage.write_text(stage.read_text().replace("time.sleep(60)", "time.sleep(20)"))
    return Served(project, "--no-watch")


def outputs(project: Project) -> dict[str, str]:
    return {name: (project.root / "data" / name).read_text() for name in OUTPUTS}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    running = new_served(tmp_path_factory.mktemp("served") / "project")
    yield running
    stop(running, signal.SIGTERM)


@pytest.fixture(scope="module")
def expected(served: Served) -> dict[str, str]:
    assert end_state(served, served.start_run("pipeline")) == "COMPLETED"
    return outputs(served.project)


@pytest.mark.parametrize(("victim", "moment"), KILLS)
def test_killed_process_ends_the_run_and_the_next_one_succeeds(
    victim: str, moment: str, served: Served, expected: dict[str, str]
) -> None:
    delay = random.Random(f"{SEED} {victim} {moment}").random()
    project = served.project
    wait_until(lambda: not flows(served))  # of the previous run
    project.mark("slow")
    done = len(project.log())
    run = served.start_run("pipeline", force=["download"])
    wait_until(lambda: flows(served) if moment == "early" else len(project.log()) > done)
    time.sleep(2 * delay)
    process = {"flow": flows, "dvc": dvc, "stage": stages, "server": servers}[victim](served)[0]
    os.kill(process, signal.SIGKILL)
    assert end_state(served, run) in (("COMPLETED",) if (victim, moment) == ("server", "in a stage") else ENDS[victim])
    (project.root / "slow").unlink()
    wait_until(lambda: not flows(served) and not dvc(served) and not stages(served), 30)
    assert end_state(served, served.start_run("pipeline", force=["download"])) == "COMPLETED"
    assert outputs(project) == expected


def test_no_run_is_left_running(served: Served, expected: dict[str, str]) -> None:
    """A killed stage has its own run below that of the pipeline; the automation ends it."""
    wait_until(lambda: not served.query("flow_runs", flow_runs=RUNNING), MAX_SECONDS)
    assert end_state(served, served.start_run("pipeline")) == "COMPLETED"


def test_automation_ends_the_runs_of_killed_runners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each server ends with its runner; the automation of the third server ends the runs of both.

    The database is configured as shared, since otherwise the runs would be ended at once.
    """
    monkeypatch.setenv(DATABASE_ENV, f"sqlite+aiosqlite:///{tmp_path / 'shared.db'}")
    served = new_served(tmp_path / "project")
    project, left = served.project, {}
    try:
        assert end_state(served, served.start_run("pipeline")) == "COMPLETED"
        before = outputs(project)
        project.mark("slow")
        for name, settings in (("pipeline", {"force": ["download"]}), ("sample", {"force": True})):
            done = len(project.log())
            run = served.start_run(name, **settings)
            wait_until(lambda done=done: len(project.log()) > done)
            os.kill(served.process.pid, signal.SIGKILL)
            left[run] = time.monotonic()
            served.process.wait()
            wait_until(lambda: not project.processes(), 30)
            served = Served(project, "--no-watch")
        (project.root / "slow").unlink()
        for run, since in left.items():
            assert end_state(served, run, max(1.0, since + MAX_SECONDS - time.monotonic())) == "CRASHED"
            assert "no heartbeat" in served.state(run)["state"]["message"]
        last = max(left.values())  # for the stage below the last run
        wait_until(
            lambda: not served.query("flow_runs", flow_runs=RUNNING), max(1.0, last + MAX_SECONDS - time.monotonic())
        )
        assert end_state(served, served.start_run("pipeline", force=["download"])) == "COMPLETED"
        assert outputs(project) == before
    finally:
        if served.process.poll() is None:
            stop(served, signal.SIGTERM)
    wait_until(lambda: not project.processes(), 30)


def end_state(served: Served, run: str, seconds: float = MAX_SECONDS) -> str:
    """Wait for the end of a run and return its state; the server may be down meanwhile."""
    state = ""

    def has_ended() -> bool:
        nonlocal state
        try:
            state = served.state(run)["state_type"]
        except (httpx.HTTPError, KeyError):
            return False
        return state in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")

    wait_until(has_ended, seconds)
    return state


def servers(served: Served) -> list[int]:
    return [child for child in children(served) if b"server" in words(child)]


def flows(served: Served) -> list[int]:
    """Return the processes that the runner started for flow runs."""
    return [child for child in children(served) if b"server" not in words(child)]


def dvc(served: Served) -> list[int]:
    return [process for process in served.project.processes() if {b"dvc", b"repro"} <= words(process)]


def stages(served: Served) -> list[int]:
    return [process for process in served.project.processes() if b"stage.py" in words(process)]


def children(served: Served) -> list[int]:
    return [process for process in served.project.processes() if parent(process) == served.process.pid]


def parent(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def words(process: int) -> set[bytes]:
    try:
        return set(Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0"))
    except OSError:
        return set()
