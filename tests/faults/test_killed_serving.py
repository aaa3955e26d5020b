"""kill -9 of flow, DVC, stage, server and runner under `make serve`: runs end, nobody is left, the next is right."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from flows.prefect_server import DATABASE
from tests.flows.conftest import Project
from tests.flows.serving import Served, stop, wait_until

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks into /proc"),
]

SEED = 22
OUTPUTS = ("download", "sample", "pretrain")
MOST = 120.0
"""Seconds that a run whose process was killed may go on being called running."""

ENDS = {"flow": ("CRASHED",), "dvc": ("FAILED",), "stage": ("FAILED",), "server": ("COMPLETED", "FAILED", "CRASHED")}
"""States of the run after a kill of each. A run that was just starting does not always get over a server's death."""

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
    one = new_served(tmp_path_factory.mktemp("served") / "project")
    yield one
    stop(one, signal.SIGTERM)


@pytest.fixture(scope="module")
def undisturbed(served: Served) -> dict[str, str]:
    assert ended(served, served.started("pipeline")) == "COMPLETED"
    return outputs(served.project)


@pytest.mark.parametrize(("victim", "moment"), KILLS)
def test_something_killed(victim: str, moment: str, served: Served, undisturbed: dict[str, str]) -> None:
    delay = random.Random(f"{SEED} {victim} {moment}").random()
    project = served.project
    wait_until(lambda: not flows(served))  # of the run before
    project.mark("slow")
    done = len(project.log())
    run = served.started("pipeline", force=["download"])
    wait_until(lambda: flows(served) if moment == "early" else len(project.log()) > done)
    time.sleep(2 * delay)
    process = {"flow": flows, "dvc": dvc, "stage": stages, "server": servers}[victim](served)[0]
    os.kill(process, signal.SIGKILL)
    assert ended(served, run) in (("COMPLETED",) if (victim, moment) == ("server", "in a stage") else ENDS[victim])
    (project.root / "slow").unlink()
    wait_until(lambda: not flows(served) and not dvc(served) and not stages(served), 30)
    assert ended(served, served.started("pipeline", force=["download"])) == "COMPLETED"
    assert outputs(project) == undisturbed


def test_in_the_end_no_run_is_left_running(served: Served, undisturbed: dict[str, str]) -> None:
    """A stage that was killed is a run of its own below the pipeline's; the automation ends it."""
    wait_until(lambda: not served.ask("flow_runs", flow_runs=RUNNING), MOST)
    assert ended(served, served.started("pipeline")) == "COMPLETED"


def test_a_killed_runner_twice_and_the_automation_ends_its_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes its server along; the automation of the third one ends what both have left.

    The database is one that others may use too, or the runs would be ended at once.
    """
    monkeypatch.setenv(DATABASE, f"sqlite+aiosqlite:///{tmp_path / 'shared.db'}")
    served = new_served(tmp_path / "project")
    project, left = served.project, {}
    try:
        assert ended(served, served.started("pipeline")) == "COMPLETED"
        before = outputs(project)
        project.mark("slow")
        for name, settings in (("pipeline", {"force": ["download"]}), ("sample", {"force": True})):
            done = len(project.log())
            run = served.started(name, **settings)
            wait_until(lambda done=done: len(project.log()) > done)
            os.kill(served.process.pid, signal.SIGKILL)
            left[run] = time.monotonic()
            served.process.wait()
            wait_until(lambda: not project.processes(), 30)
            served = Served(project, "--no-watch")
        (project.root / "slow").unlink()
        for run, since in left.items():
            assert ended(served, run, max(1.0, since + MOST - time.monotonic())) == "CRASHED"
            assert "no sign of life" in served.state(run)["state"]["message"]
        last = max(left.values())  # of the stage below the last of them
        wait_until(lambda: not served.ask("flow_runs", flow_runs=RUNNING), max(1.0, last + MOST - time.monotonic()))
        assert ended(served, served.started("pipeline", force=["download"])) == "COMPLETED"
        assert outputs(project) == before
    finally:
        if served.process.poll() is None:
            stop(served, signal.SIGTERM)
    wait_until(lambda: not project.processes(), 30)


def ended(served: Served, run: str, seconds: float = MOST) -> str:
    """State that a run ends in; the server may be away meanwhile."""
    state = ""

    def over() -> bool:
        nonlocal state
        try:
            state = served.state(run)["state_type"]
        except (httpx.HTTPError, KeyError):
            return False
        return state in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")

    wait_until(over, seconds)
    return state


def servers(served: Served) -> list[int]:
    return [one for one in children(served) if b"server" in words(one)]


def flows(served: Served) -> list[int]:
    """Processes that the runner started for a flow run."""
    return [one for one in children(served) if b"server" not in words(one)]


def dvc(served: Served) -> list[int]:
    return [one for one in served.project.processes() if {b"dvc", b"repro"} <= words(one)]


def stages(served: Served) -> list[int]:
    return [one for one in served.project.processes() if b"stage.py" in words(one)]


def children(served: Served) -> list[int]:
    return [one for one in served.project.processes() if parent(one) == served.process.pid]


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
