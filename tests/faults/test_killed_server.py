"""SIGKILL of flow, DVC, stage, server and runner under `make serve`: runs end, and the next one is correct."""

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
from tests.flows.served_project import ServedProject, stop, wait_until

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc"),
]

SEED = 22
OUTPUTS = ("download", "sample", "pretrain")
CRASH_TIMEOUT = 120.0
"""Seconds within which the run of a killed process must end."""

FINAL_STATES = {
    "flow": ("CRASHED",),
    "dvc": ("FAILED",),
    "stage": ("FAILED",),
    "server": ("COMPLETED", "FAILED", "CRASHED"),
}
"""Possible final states of the run by killed process. A run that is just starting may not survive its server."""

KILLS = [("flow", "early"), ("flow", "in a stage"), ("dvc", "in a stage"), ("stage", "in a stage")]
KILLS += [("server", "early"), ("server", "in a stage")]

UNFINISHED = {"state": {"type": {"any_": ["RUNNING", "PENDING", "CANCELLING"]}}}
"""Filter of unfinished runs."""


def serve_new_project(root: Path) -> ServedProject:
    project = Project.new(root)
    stage = project.root / "stage.py"
    text = stage.read_text()
    assert "time.sleep(60)" in text
    stage.write_text(text.replace("time.sleep(60)", "time.sleep(20)"))
    return ServedProject(project, "--no-watch")


def outputs(project: Project) -> dict[str, str]:
    return {name: (project.root / "data" / name).read_text() for name in OUTPUTS}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedProject]:
    running = serve_new_project(tmp_path_factory.mktemp("served") / "project")
    yield running
    stop(running, signal.SIGTERM)


@pytest.fixture(scope="module")
def expected_outputs(served: ServedProject) -> dict[str, str]:
    """Outputs of a run without faults."""
    assert final_state(served, served.start_run("pipeline")) == "COMPLETED"
    return outputs(served.project)


@pytest.mark.parametrize(("target", "moment"), KILLS)
def test_run_ends_after_a_kill_and_the_next_one_is_correct(
    target: str, moment: str, served: ServedProject, expected_outputs: dict[str, str]
) -> None:
    delay = random.Random(f"{SEED} {target} {moment}").random()
    project = served.project
    wait_until(lambda: not flow_processes(served))  # of the previous run
    project.mark("slow")
    num_stages = len(project.log())
    run = served.start_run("pipeline", force=["download"])
    wait_until(lambda: flow_processes(served) if moment == "early" else len(project.log()) > num_stages)
    time.sleep(2 * delay)
    find = {"flow": flow_processes, "dvc": dvc_processes, "stage": stage_processes, "server": server_processes}[target]
    os.kill(find(served)[0], signal.SIGKILL)
    survives = (target, moment) == ("server", "in a stage")
    assert final_state(served, run) in (("COMPLETED",) if survives else FINAL_STATES[target])
    (project.root / "slow").unlink()
    wait_until(lambda: not flow_processes(served) and not dvc_processes(served) and not stage_processes(served), 30)
    assert final_state(served, served.start_run("pipeline", force=["download"])) == "COMPLETED"
    assert outputs(project) == expected_outputs


def test_no_run_stays_unfinished(served: ServedProject, expected_outputs: dict[str, str]) -> None:
    """The subflow run of a killed stage is ended by the automation."""
    wait_until(lambda: not served.query("flow_runs", flow_runs=UNFINISHED), CRASH_TIMEOUT)
    assert final_state(served, served.start_run("pipeline")) == "COMPLETED"


def test_automation_ends_the_runs_of_two_killed_runners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each kill ends the server as well; the automation of the third server marks the runs of both as crashed.

    The database may be used by other projects, so serving again does not mark these runs as crashed at once.
    """
    monkeypatch.setenv(DATABASE_ENV, f"sqlite+aiosqlite:///{tmp_path / 'shared.db'}")
    served = serve_new_project(tmp_path / "project")
    project, kill_times = served.project, {}
    try:
        assert final_state(served, served.start_run("pipeline")) == "COMPLETED"
        before = outputs(project)
        project.mark("slow")
        for name, parameters in (("pipeline", {"force": ["download"]}), ("sample", {"force": True})):
            num_stages = len(project.log())
            run = served.start_run(name, **parameters)
            wait_until(lambda num_stages=num_stages: len(project.log()) > num_stages)
            os.kill(served.process.pid, signal.SIGKILL)
            kill_times[run] = time.monotonic()
            served.process.wait()
            wait_until(lambda: not project.processes(), 30)
            served = ServedProject(project, "--no-watch")
        (project.root / "slow").unlink()
        for run, killed_at in kill_times.items():
            assert final_state(served, run, max(1.0, killed_at + CRASH_TIMEOUT - time.monotonic())) == "CRASHED"
            assert "no heartbeat" in served.state(run)["state"]["message"]
        deadline = max(kill_times.values()) + CRASH_TIMEOUT  # also for the subflow run of the last one
        wait_until(lambda: not served.query("flow_runs", flow_runs=UNFINISHED), max(1.0, deadline - time.monotonic()))
        assert final_state(served, served.start_run("pipeline", force=["download"])) == "COMPLETED"
        assert outputs(project) == before
    finally:
        if served.process.poll() is None:
            stop(served, signal.SIGTERM)
    wait_until(lambda: not project.processes(), 30)


def final_state(served: ServedProject, run: str, seconds: float = CRASH_TIMEOUT) -> str:
    """Wait until a run has ended and return its state; the server may be down meanwhile."""
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


def server_processes(served: ServedProject) -> list[int]:
    return [process for process in children(served) if b"server" in command_line(process)]


def flow_processes(served: ServedProject) -> list[int]:
    """Return the processes that the runner has started for flow runs."""
    return [process for process in children(served) if b"server" not in command_line(process)]


def dvc_processes(served: ServedProject) -> list[int]:
    return [process for process in served.project.processes() if {b"dvc", b"repro"} <= command_line(process)]


def stage_processes(served: ServedProject) -> list[int]:
    return [process for process in served.project.processes() if b"stage.py" in command_line(process)]


def children(served: ServedProject) -> list[int]:
    return [process for process in served.project.processes() if parent(process) == served.process.pid]


def parent(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def command_line(process: int) -> set[bytes]:
    try:
        return set(Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0"))
    except OSError:
        return set()
