"""`python -m flows.serve`: one process tree, runs from the page and from schedules, nothing left behind."""

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
from tests.flows.serving import WITHIN, Served, asked, stop, wait_until

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks into /proc")


@pytest.fixture(scope="module")
def served(new_project, tmp_path_factory) -> Iterator[Served]:
    """A served project whose watch runs every minute."""
    one = Served(new_project(tmp_path_factory.mktemp("served") / "project"), "--watch-cron", "* * * * *")
    yield one
    stop(one, signal.SIGTERM)


@pytest.fixture
def own(new_project, tmp_path) -> Iterator[Served]:
    """A served project for one test, which may kill it."""
    one = Served(new_project(tmp_path / "project"), "--no-watch")
    yield one
    one.process.kill()


def test_a_cron_schedule_creates_runs(served: Served) -> None:
    watch = served.deployment("watch")
    wait_until(lambda: [run for run in served.ask("flow_runs") if run["deployment_id"] == watch])
    (schedule,) = next(one for one in served.ask("deployments") if one["id"] == watch)["schedules"]
    assert schedule["active"]
    assert schedule["schedule"]["cron"] == "* * * * *"


def test_the_server_has_the_gpu_limit_and_the_automation(served: Served) -> None:
    limits = {one["name"]: one["limit"] for one in served.ask("v2/concurrency_limits")}
    assert limits["gpu"] == 1
    assert [one["name"] for one in served.ask("automations")] == [NAME]


def test_values_that_break_a_rule_are_refused_and_nothing_changes(served: Served) -> None:
    before = (served.project.root / "params.yaml").read_bytes()
    for wrong in ({"seed": -1}, {"finetune": {"color": 1}}, {"finetune": {"precision": "8"}}):
        refused = served.run("pipeline", settings=wrong)
        assert refused.status_code in (409, 422)
        assert "seed" in refused.text or "color" in refused.text or "precision" in refused.text
    assert (served.project.root / "params.yaml").read_bytes() == before


@pytest.mark.long
def test_a_dry_run_says_why_and_the_run_does_it(served: Served) -> None:
    project, file = served.project, served.project.root / "params.yaml"
    before = file.read_text()
    settings = {"download": {"max_invalid_fraction": 0.5}}
    assert served.ended(served.started("pipeline", settings=settings, dry_run=True))["state_name"] == "Completed"
    assert file.read_text() == before
    shown = served.artifacts()
    assert "| download | no finished run is recorded |" in shown["plan"]
    assert "| `download.max_invalid_fraction` | 0.01 | 0.5 |" in shown["settings"]

    newer = before.replace("seed: 7", "seed: 8")  # edited while served: a run must not bring back what was there
    file.write_text(newer)
    assert served.ended(served.started("pipeline", settings=settings))["state_name"] == "Completed"
    assert file.read_text() == newer.replace("max_invalid_fraction: 0.01", "max_invalid_fraction: 0.5")
    assert project.log() == [f"{stage} with Prefect" for stage in ("download", "sample", "pretrain")]
    lock = YAML(typ="safe").load((project.root / "dvc.lock").read_text())
    assert lock["stages"]["download"]["params"]["params.yaml"]["download"]["max_invalid_fraction"] == 0.5

    assert served.ended(served.started("sample", force=True))["state_name"] == "Completed"
    assert project.log()[3:] == ["sample with Prefect"]


def test_a_second_serve_is_refused(served: Served) -> None:
    done = served.project.python("-m", "flows.serve", url=None)
    assert done.returncode == 2
    assert served.url in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.long
def test_stopping_leaves_nothing_behind(own: Served) -> None:
    own.project.mark("slow")
    own.started("pipeline")
    wait_until(own.project.log)
    assert stop(own, signal.SIGTERM) == 0
    wait_until(lambda: not own.project.processes(), 20)
    assert not (own.project.root / "data" / "download").exists()
    with closing(sqlite3.connect(own.project.root / "data/work/prefect/prefect.db")) as connection:
        assert {state for (state,) in connection.execute("select state_name from flow_run")} == {"Cancelled"}
    assert not list((own.project.root / "data/work/prefect").glob("serving"))


@pytest.mark.long
def test_a_server_that_answers_is_used_and_none_is_started(project, server) -> None:
    process = project.start("-m", "flows.serve", "--no-watch", url=server)
    wait_until(lambda: asked(server, "deployments"))
    assert not server_of(process.pid)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(WITHIN) == 0
    wait_until(lambda: not project.processes(), 20)
    assert asked(server, "deployments")


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_server_that_dies_is_started_again_and_the_run_goes_on(served: Served) -> None:
    served.project.mark("slow")
    run = served.started("sample", force=True)
    before = len(served.project.log())
    wait_until(lambda: len(served.project.log()) > before)
    for number in (signal.SIGKILL, signal.SIGTERM):
        server = server_of(served.process.pid)
        os.kill(server, number)
        wait_until(lambda old=server: served.ask("deployments") and server_of(served.process.pid) != old)
    assert served.process.poll() is None
    assert served.ended(run)["state_name"] == "Completed"
    (served.project.root / "slow").unlink()
    assert served.ended(served.started("sample", force=True))["state_name"] == "Completed"


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_run_that_never_shows_life_ends_as_crashed_and_nobody_elses_does(served: Served) -> None:
    """Killed as they began: one whose start the server has noted, one whose start died with the server."""
    runs = [begun(served, tags=[TAG]), begun(served, state="PENDING", tags=[TAG]), begun(served)]
    server = server_of(served.process.pid)
    os.kill(server, signal.SIGKILL)
    wait_until(lambda: served.ask("deployments") and server_of(served.process.pid) != server)
    runs += [begun(served, tags=[TAG]), begun(served, state="PENDING", tags=[TAG])]
    since = time.monotonic()
    states = [
        served.ended(run, max(1.0, since + 110 - time.monotonic()))["state_name"] for run in (*runs[:2], *runs[3:])
    ]
    assert set(states) == {"Crashed"}
    assert served.state(runs[2])["state_name"] == "Running"


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_killed_runner_takes_everything_with_it_and_its_run_ends_as_crashed(own: Served) -> None:
    own.project.mark("slow")
    run = own.started("pipeline")
    wait_until(own.project.log)
    os.kill(own.process.pid, signal.SIGKILL)
    own.process.wait(WITHIN)
    wait_until(lambda: not own.project.processes(), 30)
    (own.project.root / "slow").unlink()
    again = Served(own.project, "--no-watch")
    try:
        assert again.ended(run, 5)["state_name"] == "Crashed"  # at once: nobody is at work any more
        left = {"state": {"type": {"any_": ["RUNNING", "PENDING"]}}}
        wait_until(lambda: not again.ask("flow_runs", flow_runs=left), 5)  # one is ended after the other
        assert again.ended(again.started("pipeline"))["state_name"] == "Completed"
    finally:
        stop(again, signal.SIGTERM)


def begun(served: Served, state: str = "RUNNING", **more: Any) -> str:
    """Id of a run that no process is behind."""
    flow = served.post("flows/", name="nobody").json()["id"]
    return served.post("flow_runs/", flow_id=flow, state={"type": state}, **more).json()["id"]


def server_of(parent: int) -> int:
    """The Prefect server among the children of a process that serves; 0 while there is none."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            started_by = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            if started_by == str(parent) and b"server" in (entry / "cmdline").read_bytes():
                return int(entry.name)
        except OSError:
            continue
    return 0
