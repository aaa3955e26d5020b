"""The pipeline runs outdated stages only, as one tree in Prefect, with the results of `dvc repro`."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import httpx
import pytest
from ruamel.yaml import YAML

from flows import pipeline_command
from flows.pipeline import pipeline
from tasks.prefect_api import TAG

pytestmark = pytest.mark.slow

PIPELINE = ("-m", "flows")
TIMEOUT = 60.0


@pytest.fixture(scope="module")
def finished(new_project, server, tmp_path_factory):
    """A project after one run of the pipeline, the output of the run, and the id of its flow run."""
    project = new_project(tmp_path_factory.mktemp("finished") / "project")
    earlier = [run["id"] for run in runs(server, "flow_runs")]
    done = project.python(*PIPELINE, url=server)
    assert done.returncode == 0, done.stderr
    later = [run for run in runs(server, "flow_runs") if run["id"] not in earlier]
    (root,) = (run["id"] for run in later if run["name"] == "pipeline")
    return project, done.stderr, root


def runs(server: str, kind: str) -> list[dict]:
    return httpx.post(f"{server}/{kind}/filter", json={"sort": "EXPECTED_START_TIME_ASC"}, trust_env=False).json()


def test_prefect_shows_one_tree(finished, server) -> None:
    flow_runs, task_runs = runs(server, "flow_runs"), {run["id"]: run for run in runs(server, "task_runs")}
    children = {
        run["name"]: task_runs[run["parent_task_run_id"]]
        for run in flow_runs
        if run["parent_task_run_id"] and task_runs[run["parent_task_run_id"]]["flow_run_id"] == finished[2]
    }
    assert list(children) == ["download", "sample", "pretrain"]
    for stage, task_run in children.items():
        assert task_run["name"] == stage
        stage_run = next(run for run in flow_runs if run["parent_task_run_id"] == task_run["id"])
        names = [run["name"] for run in task_runs.values() if run["flow_run_id"] == stage_run["id"]]
        assert names == [stage]
        assert stage_run["state_name"] == task_run["state_name"] == "Completed"


def test_every_run_has_the_tag_of_the_project(finished, server) -> None:
    """The automation for crashed runs selects by it."""
    tagged = {run["name"] for run in runs(server, "flow_runs") if run["tags"] == [TAG]}
    assert {"pipeline", "download", "sample", "pretrain"} <= tagged


def test_stage_publishes_its_result(finished, server) -> None:
    artifacts = httpx.post(f"{server}/artifacts/latest/filter", json={}, trust_env=False).json()
    shown = {artifact["key"]: artifact["data"] for artifact in artifacts if artifact["type"] == "markdown"}
    assert "wrote data/sample" in shown["sample"]
    assert "| 3 | 0.5 |" in shown["sample"]


def test_output_contains_stages_and_reasons(finished) -> None:
    output = finished[1]
    assert "download runs: never run" in output
    assert "pretrain: wrote data/pretrain" in output
    assert "Done: 3 stages in " in output
    assert "Traceback" not in output


def test_second_run_does_nothing_and_starts_no_server(finished, tmp_path) -> None:
    project = finished[0].copy(tmp_path / "project")
    start = time.monotonic()
    done = project.python(*PIPELINE)
    assert done.returncode == 0
    assert "Nothing to do" in done.stderr
    assert time.monotonic() - start < 15
    assert project.log() == finished[0].log()


def test_dvc_repro_gives_the_same_hashes_without_a_server(finished, new_project, tmp_path) -> None:
    plain = new_project(tmp_path / "project")
    done = plain.python("-m", "dvc", "repro")
    assert done.returncode == 0, done.stderr
    assert plain.log() == [f"{stage} without Prefect" for stage in ("download", "sample", "pretrain")]
    locks = [YAML(typ="safe").load((project.root / "dvc.lock").read_text()) for project in (finished[0], plain)]
    assert locks[0] == locks[1]


def test_change_runs_its_stage_and_those_with_changed_inputs(finished, server, tmp_path) -> None:
    project = finished[0].copy(tmp_path / "project")
    project.set("download.max_invalid_fraction", 0.02)
    before = len(project.log())
    done = project.python(*PIPELINE, url=server)
    assert done.returncode == 0, done.stderr
    # The output of `sample` is unchanged, so `pretrain` is up to date.
    assert [line.split()[0] for line in project.log()[before:]] == ["download", "sample"]
    assert project.python("-m", "dvc", "status", "-q").returncode == 0


def test_dry_run_prints_the_plan(finished, tmp_path) -> None:
    project = finished[0].copy(tmp_path / "project")
    done = project.python(*PIPELINE, "--dry-run", "--force", "pretrain")
    assert done.returncode == 0
    assert "pretrain would run: forced" in done.stderr
    assert project.log() == finished[0].log()


def test_dry_run_sees_new_inputs_and_records_none(finished, tmp_path) -> None:
    project = finished[0].copy(tmp_path / "project")
    (project.root / "data/source.json").write_text('{"source": "another"}\n')
    (project.root / "own.ckpt").write_bytes(b"weights")
    project.set("pretrain.init_from", "own.ckpt")
    before = [(project.root / "data" / name).read_bytes() for name in ("source.json", "weights.json")]
    done = project.python(*PIPELINE, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "download would run: data source changed" in done.stderr
    assert "pretrain would run: weights changed: start" in done.stderr
    assert [(project.root / "data" / name).read_bytes() for name in ("source.json", "weights.json")] == before


def test_new_weights_under_the_same_name_run_their_stage(finished, tmp_path) -> None:
    project = finished[0].copy(tmp_path / "project")
    project.set("pretrain.init_from", "own.ckpt")
    for content in (b"one", b"another"):
        (project.root / "own.ckpt").write_bytes(content)
        assert project.python("-m", "tryon", "refresh-inputs").returncode == 0
        before = len(project.log())
        assert project.python("-m", "dvc", "repro").returncode == 0
        assert project.log()[before:] == ["pretrain without Prefect"]


def test_only_results_go_to_standard_output(finished, tmp_path) -> None:
    project = finished[0].copy(tmp_path / "project")
    (project.root / "data/evaluation").mkdir()
    (project.root / "data/evaluation/report.html").touch()
    headline = {"paired": {"dresses": {"model": 0.25}}}
    (project.root / "data/evaluation/metrics.json").write_text(json.dumps({"summary": headline}))
    done = project.python(*PIPELINE)
    assert "0.25" in done.stdout
    assert done.stdout.splitlines()[-1] == f"Report: {project.root.resolve() / 'data/evaluation/report.html'}"
    assert done.stderr == "Nothing to do: every stage is up to date.\n"


def test_source_is_checked_once(project, monkeypatch: pytest.MonkeyPatch) -> None:
    checks: list[str] = []
    monkeypatch.chdir(project.root)
    for name in ("PREFECT_API_URL", *pipeline_command.QUIET_LOGGING_ENV):
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(pipeline_command, "refresh_inputs", lambda *_, **__: checks.append("command") or {})
    monkeypatch.setattr(pipeline_command, "outdated_stages", lambda: {"download": ["new"]})
    monkeypatch.setattr(pipeline_command, "stage_order", lambda: ["download"])
    monkeypatch.setattr(pipeline_command, "api_url", lambda: "http://127.0.0.1:9/api")
    monkeypatch.setattr("flows.pipeline.refresh_inputs", lambda *_, **__: checks.append("flow") or {})
    monkeypatch.setattr("flows.pipeline.pipeline", lambda force, **kwargs: pipeline.fn(force, **kwargs))
    for name, result in (("stage_order", ["download"]), ("stages_to_run", {})):
        monkeypatch.setattr(f"flows.pipeline.{name}", lambda *_, result=result, **__: result)
    pipeline_command.run_pipeline([], dry_run=False)
    assert checks == ["command"]
    pipeline.fn()
    assert checks == ["command", "flow"]


@pytest.mark.parametrize(("changed", "times"), [({}, 1), ({"download": "data source changed"}, 2)])
def test_dvc_status_is_repeated_only_if_records_changed(
    changed: dict[str, str], times: int, project, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    monkeypatch.chdir(project.root)
    monkeypatch.setattr(pipeline_command, "refresh_inputs", lambda *_, **__: changed)
    monkeypatch.setattr(pipeline_command, "outdated_stages", lambda: calls.append(1) or {})
    pipeline_command.run_pipeline([], dry_run=False)
    assert len(calls) == times


def test_forcing_an_unknown_stage_is_an_error(finished) -> None:
    done = finished[0].python(*PIPELINE, "--force", "unknown")
    assert done.returncode == 2
    assert "download, sample, pretrain" in done.stderr


def test_message_of_a_stage_is_forwarded(project, server) -> None:
    project.mark("missing")
    done = project.python(*PIPELINE, url=server)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "error: /nowhere.zip not found. Put it there."
    assert "Traceback" not in done.stderr
    latest = [run for run in runs(server, "flow_runs") if run["name"] in ("pipeline", "download")][-2:]
    for run in latest:
        assert run["state_name"] == "Failed"
        assert "/nowhere.zip not found. Put it there." in run["state"]["message"]


def test_bug_shows_a_traceback_and_ends_the_run(project, server) -> None:
    project.mark("broken")
    done = project.python(*PIPELINE, url=server)
    assert done.returncode == 1
    assert "RuntimeError: a bug" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: stage download failed")


def test_invalid_parameter_stops_before_anything_starts(project) -> None:
    project.set("seed", "seven")
    done = project.python(*PIPELINE)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "seed" in done.stderr
    assert not (project.root / "data" / "work" / "prefect").exists()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_the_pipeline(project, server, number) -> None:
    project.mark("slow")
    run = project.start(*PIPELINE, url=server)
    wait_until(lambda: project.log())
    os.kill(run.pid, number)
    code = run.wait(TIMEOUT)
    wait_until(lambda: not project.processes())
    assert code in {signal.SIGINT: (130,), signal.SIGTERM: (-15, 143), signal.SIGKILL: (-9,)}[number]
    assert not (project.root / "data" / "download").exists()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")
def test_server_ends_with_the_pipeline(project) -> None:
    project.mark("slow")
    run = project.start(*PIPELINE)
    wait_until(lambda: project.log(), 120)
    os.kill(run.pid, signal.SIGKILL)
    run.wait(TIMEOUT)
    wait_until(lambda: not project.processes())
    assert (project.root / "data/work/prefect/server.log").is_file()


def wait_until(condition, seconds: float = TIMEOUT) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "timed out"
        time.sleep(0.1)


def test_second_pipeline_is_rejected_and_dry_run_shows_what_runs(project, server) -> None:
    project.mark("slow")
    first = project.start(*PIPELINE, url=server)
    try:
        wait_until(lambda: project.log())
        second = project.python(*PIPELINE, url=server)
        assert second.returncode == 2
        assert f"pipeline (process {first.pid} since 20" in second.stderr
        assert "stage download (process " in second.stderr
        dry_run = project.python(*PIPELINE, "--dry-run")
        assert dry_run.returncode == 0
        assert [line.split(" (process")[0] for line in dry_run.stderr.splitlines()] == [
            "running: pipeline",
            "running: stage download",
        ]
    finally:
        first.terminate()
        first.wait(TIMEOUT)
    wait_until(lambda: not project.processes())
    assert "would run" in project.python(*PIPELINE, "--dry-run").stderr
