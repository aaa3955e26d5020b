"""`python -m flows.serve`: runs from the UI and from schedules, restarts, and clean shutddisposable."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tasks.crashed_runs import NAME
from tasks.prefect_api import TAG
from tests.flows.served_project import TIMEOUT, ServedProject, query, stop, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")]


@pytest.fixture(scope="module")
def served(new_project, tmp_path_factory) -> Iterator[ServedProject]:
    """A served project whose watch runs every minute."""
    running = ServedProject(new_project(tmp_path_factory.mktemp("served") / "project"), "--watch-cron", "* * * * *")
    yield running
    stop(running, signal.SIGTERM)


@pytest.fixture
def disposable(new_project, tmp_path) -> Iterator[ServedProject]:
    """A served project for one test, which may kill it."""
    running = ServedProject(new_project(tmp_path / "project"), "--no-watch")
    yield running
    running.process.kill()


def test_cron_schedule_creates_runs(served: ServedProject) -> None:
    watch = served.deployment("watch")
    wait_until(lambda: [run for run in served.query("flow_runs") if run["deployment_id"] == watch])
    (schedule,) = next(item for item in served.query("deployments") if item["id"] == watch)["schedules"]
    assert schedule["active"]
    assert schedule["schedule"]["cron"] == "* * * * *"


def test_server_has_the_gpu_limit_and_the_automation(served: ServedProject) -> None:
    limits = {item["name"]: item["limit"] for item in served.query("v2/concurrency_limits")}
    assert limits["gpu"] == 1
    assert [item["name"] for item in served.query("automations")] == [NAME]


def test_invalid_settings_are_rejected(served: ServedProject) -> None:
    before = (served.project.root / "params.yaml").read_bytes()
    for invalid in ({"seed": -1}, {"finetune": {"color": 1}}, {"finetune": {"precision": "8"}}):
        response = served.run("pipeline", settings=invalid)
        assert response.status_code in (409, 422)
        assert "seed" in response.text or "color" in response.text or "precision" in response.text
    assert (served.project.root / "params.yaml").read_bytes() == before


@pytest.mark.long
def test_dry_run_and_run_agree(served: ServedProject) -> None:
    project, file = served.project, served.project.root / "params.yaml"
    before = file.read_text()
    settings = {"download": {"max_invalid_fraction": 0.5}}
    assert (
        served.wait_for_end(served.start_run("pipeline", settings=settings, dry_run=True))["state_name"] == "Completed"
    )
    assert file.read_text() == before
    shown = served.artifacts()
    assert "| download | never run |" in shown["plan"]
    assert "| `download.max_invalid_fraction` | 0.01 | 0.5 |" in shown["settings"]

    newer = before.replace("seed: 7", "seed: 8")  # edited while served; a run must not revert it
    file.write_text(newer)
    assert served.wait_for_end(served.start_run("pipeline", settings=settings))["state_name"] == "Completed"
    assert file.read_text() == newer.replace("max_invalid_fraction: 0.01", "max_invalid_fraction: 0.5")
    assert project.log() == [f"{stage} with Prefect" for stage in ("download", "sample", "pretrain")]
    lock = YAML(typ="safe").load((project.root / "dvc.lock").read_text())
    assert lock["stages"]["download"]["params"]["params.yaml"]["download"]["max_invalid_fraction"] == 0.5

    assert served.wait_for_end(served.start_run("sample", force=True))["state_name"] == "Completed"
    assert project.log()[3:] == ["sample with Prefect"]


def test_second_serve_is_rejected(served: ServedProject) -> None:
    done = served.project.python("-m", "flows.serve", url=None)
    assert done.returncode == 2
    assert served.url in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.long
def test_sigterm_ends_all_processes_and_cancels_runs(disposable: ServedProject) -> None:
    disposable.project.mark("slow")
    disposable.start_run("pipeline")
    wait_until(disposable.project.log)
    assert stop(disposable, signal.SIGTERM) == 0
    wait_until(lambda: not disposable.project.processes(), 20)
    assert not (disposable.project.root / "data" / "download").exists()
    with closing(sqlite3.connect(disposable.project.root / "data/work/prefect/prefect.db")) as connection:
        assert {state for (state,) in connection.execute("select state_name from flow_run")} == {"Cancelled"}
    assert not list((disposable.project.root / "data/work/prefect").glob("serving"))


@pytest.mark.long
def test_existing_server_is_used(project, server) -> None:
    process = project.start("-m", "flows.serve", "--no-watch", url=server)
    wait_until(lambda: query(server, "deployments"))
    assert not server_of(process.pid)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(TIMEOUT) == 0
    wait_until(lambda: not project.processes(), 20)
    assert query(server, "deployments")


@pytest.mark.long
@pytest.mark.timeout(600)
def test_dead_server_is_restarted_during_a_run(served: ServedProject) -> None:
    served.project.mark("slow")
    run = served.start_run("sample", force=True)
    before = len(served.project.log())
    wait_until(lambda: len(served.project.log()) > before)
    for number in (signal.SIGKILL, signal.SIGTERM):
        server = server_of(served.process.pid)
        os.kill(server, number)
        wait_until(lambda old=server: served.query("deployments") and server_of(served.process.pid) != old)
    assert served.process.poll() is None
    assert served.wait_for_end(run)["state_name"] == "Completed"
    (served.project.root / "slow").unlink()
    assert served.wait_for_end(served.start_run("sample", force=True))["state_name"] == "Completed"


@pytest.mark.long
@pytest.mark.timeout(600)
def test_runs_without_heartbeat_crash_and_others_do_not(served: ServedProject) -> None:
    """Runs killed at their start: recorded by this server, and by one that died."""
    runs = [create_run(served, tags=[TAG]), create_run(served, state="PENDING", tags=[TAG]), create_run(served)]
    server = server_of(served.process.pid)
    os.kill(server, signal.SIGKILL)
    wait_until(lambda: served.query("deployments") and server_of(served.process.pid) != server)
    runs += [create_run(served, tags=[TAG]), create_run(served, state="PENDING", tags=[TAG])]
    since = time.monotonic()
    states = [
        served.wait_for_end(run, max(1.0, since + 110 - time.monotonic()))["state_name"]
        for run in (*runs[:2], *runs[3:])
    ]
    assert set(states) == {"Crashed"}
    assert served.state(runs[2])["state_name"] == "Running"


@pytest.mark.long
@pytest.mark.timeout(600)
def test_killed_runner_ends_all_processes_and_its_run_crashes(disposable: ServedProject) -> None:
    disposable.project.mark("slow")
    run = disposable.start_run("pipeline")
    wait_until(disposable.project.log)
    os.kill(disposable.process.pid, signal.SIGKILL)
    disposable.process.wait(TIMEOUT)
    wait_until(lambda: not disposable.project.processes(), 30)
    (disposable.project.root / "slow").unlink()
    again = ServedProject(disposable.project, "--no-watch")
    try:
        assert again.wait_for_end(run, 5)["state_name"] == "Crashed"  # at once, since no process is active
        left = {"state": {"type": {"any_": ["RUNNING", "PENDING"]}}}
        wait_until(lambda: not again.query("flow_runs", flow_runs=left), 5)  # they are ended one by one
        assert again.wait_for_end(again.start_run("pipeline"))["state_name"] == "Completed"
    finally:
        stop(again, signal.SIGTERM)


def create_run(served: ServedProject, state: str = "RUNNING", **options: Any) -> str:
    """Create a run without a process and return its id."""
    flow = served.post("flows/", name="orphan").json()["id"]
    return served.post("flow_runs/", flow_id=flow, state={"type": state}, **options).json()["id"]


def server_of(parent: int) -> int:
    """Return the Prefect server among the children of a process; 0 if there is none."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            started_by = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            if started_by == str(parent) and b"server" in (entry / "cmdline").read_bytes():
                return int(entry.name)
        except OSError:
            continue
    return 0
