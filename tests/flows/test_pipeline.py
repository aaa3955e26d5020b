"""The pipeline: what is out of date and no more, one tree in Prefect, the same results as `dvc repro`."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import httpx
import pytest
from ruamel.yaml import YAML

from flows import pipeline_command as launch
from flows.pipeline import pipeline
from tasks.prefect_api import TAG

PIPELINE = ("-m", "flows")
WITHIN = 60.0


@pytest.fixture(scope="module")
def finished(new_project, server, tmp_path_factory):
    """A project after one run of the pipeline, what the run printed, and the id of its flow run."""
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
    hanging = {
        run["name"]: task_runs[run["parent_task_run_id"]]
        for run in flow_runs
        if run["parent_task_run_id"] and task_runs[run["parent_task_run_id"]]["flow_run_id"] == finished[2]
    }
    assert list(hanging) == ["download", "sample", "pretrain"]
    for stage, task_run in hanging.items():
        assert task_run["name"] == stage
        stage_run = next(run for run in flow_runs if run["parent_task_run_id"] == task_run["id"])
        own = [run["name"] for run in task_runs.values() if run["flow_run_id"] == stage_run["id"]]
        assert own == [stage]
        assert stage_run["state_name"] == task_run["state_name"] == "Completed"


def test_every_run_is_marked_as_this_projects(finished, server) -> None:
    """The automation that ends lost runs goes by that."""
    marked = {run["name"] for run in runs(server, "flow_runs") if run["tags"] == [TAG]}
    assert {"pipeline", "download", "sample", "pretrain"} <= marked


def test_a_stage_shows_its_summary(finished, server) -> None:
    found = httpx.post(f"{server}/artifacts/latest/filter", json={}, trust_env=False).json()
    shown = {artifact["key"]: artifact["data"] for artifact in found if artifact["type"] == "markdown"}
    assert "wrote data/sample" in shown["sample"]
    assert "| 3 | 0.5 |" in shown["sample"]


def test_it_tells_what_it_does_and_why(finished) -> None:
    told = finished[1]
    assert "download runs: " in told
    assert "pretrain: wrote data/pretrain" in told
    assert "Done: 3 stages in " in told
    assert "Traceback" not in told


def test_a_second_run_finds_nothing_to_do_and_needs_no_server(finished, tmp_path) -> None:
    project = finished[0].copy(tmp_path / "project")
    since = time.monotonic()
    done = project.python(*PIPELINE)
    assert done.returncode == 0
    assert "Nothing to do" in done.stderr
    assert time.monotonic() - since < 15
    assert project.log() == finished[0].log()


def test_dvc_repro_gives_the_same_hashes_without_a_server(finished, new_project, tmp_path) -> None:
    plain = new_project(tmp_path / "project")
    done = plain.python("-m", "dvc", "repro")
    assert done.returncode == 0, done.stderr
    assert plain.log() == [f"{stage} without Prefect" for stage in ("download", "sample", "pretrain")]
    locks = [YAML(typ="safe").load((project.root / "dvc.lock").read_text()) for project in (finished[0], plain)]
    assert locks[0] == locks[1]


def test_a_change_runs_that_stage_and_those_whose_inputs_changed(finished, server, tmp_path) -> None:
    project = finished[0].copy(tmp_path / "project")
    project.set("download.max_invalid_fraction", 0.02)
    before = len(project.log())
    done = project.python(*PIPELINE, url=server)
    assert done.returncode == 0, done.stderr
    # `sample` read something new and gave what it gave before, so `pretrain` is left alone.
    assert [line.split()[0] for line in project.log()[before:]] == ["download", "sample"]
    assert project.python("-m", "dvc", "status", "-q").returncode == 0


def test_a_dry_run_says_what_would_run_and_why(finished, tmp_path) -> None:
    project = finished[0].copy(tmp_path / "project")
    done = project.python(*PIPELINE, "--dry-run", "--force", "pretrain")
    assert done.returncode == 0
    assert "pretrain would run: forced" in done.stderr
    assert project.log() == finished[0].log()


def test_a_dry_run_sees_new_data_and_weights_and_notes_neither(finished, tmp_path) -> None:
    project = finished[0].copy(tmp_path / "project")
    (project.root / "data/source.json").write_text('{"source": "another"}\n')
    (project.root / "own.ckpt").write_bytes(b"weights")
    project.set("pretrain.init_from", "own.ckpt")
    noted = [(project.root / "data" / name).read_bytes() for name in ("source.json", "weights.json")]
    done = project.python(*PIPELINE, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "download would run: the data source changed" in done.stderr
    assert "pretrain would run: weights (start) changed" in done.stderr
    assert [(project.root / "data" / name).read_bytes() for name in ("source.json", "weights.json")] == noted


def test_another_file_of_weights_under_the_same_name_runs_the_stage_that_reads_it(finished, tmp_path) -> None:
    project = finished[0].copy(tmp_path / "project")
    project.set("pretrain.init_from", "own.ckpt")
    for content in (b"one", b"another"):
        (project.root / "own.ckpt").write_bytes(content)
        assert project.python("-m", "tryon", "refresh-inputs").returncode == 0
        before = len(project.log())
        assert project.python("-m", "dvc", "repro").returncode == 0
        assert project.log()[before:] == ["pretrain without Prefect"]


def test_the_result_goes_to_standard_output_and_the_rest_does_not(finished, tmp_path) -> None:
    project = finished[0].copy(tmp_path / "project")
    (project.root / "data/evaluation").mkdir()
    (project.root / "data/evaluation/report.html").touch()
    headline = {"paired": {"dresses": {"model": 0.25}}}
    (project.root / "data/evaluation/metrics.json").write_text(json.dumps({"summary": headline}))
    done = project.python(*PIPELINE)
    assert "0.25" in done.stdout
    assert done.stdout.splitlines()[-1] == f"Report: {project.root.resolve() / 'data/evaluation/report.html'}"
    assert done.stderr == "Nothing to do: every stage is up to date.\n"


def test_the_source_is_looked_at_once(project, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[str] = []
    monkeypatch.chdir(project.root)
    for name in ("PREFECT_API_URL", *launch.QUIET_LOGGING_ENV):
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(launch, "refresh_inputs", lambda *_, **__: looks.append("launcher") or {})
    monkeypatch.setattr(launch, "outdated_stages", lambda: {"download": ["new"]})
    monkeypatch.setattr(launch, "stage_order", lambda: ["download"])
    monkeypatch.setattr(launch, "api_url", lambda: "http://127.0.0.1:9/api")
    monkeypatch.setattr("flows.pipeline.refresh_inputs", lambda *_, **__: looks.append("flow") or {})
    monkeypatch.setattr("flows.pipeline.pipeline", lambda force, **given: pipeline.fn(force, **given))
    for name, answer in (("stage_order", ["download"]), ("due_stages", {})):
        monkeypatch.setattr(f"flows.pipeline.{name}", lambda *_, answer=answer, **__: answer)
    launch.run_pipeline([], dry_run=False)
    assert looks == ["launcher"]
    pipeline.fn()
    assert looks == ["launcher", "flow"]


@pytest.mark.parametrize(("changed", "times"), [({}, 1), ({"download": "the data source changed"}, 2)])
def test_dvc_is_asked_again_only_if_what_it_reads_was_written(
    changed: dict[str, str], times: int, project, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.chdir(project.root)
    monkeypatch.setattr(launch, "refresh_inputs", lambda *_, **__: changed)
    monkeypatch.setattr(launch, "outdated_stages", lambda: asked.append(1) or {})
    launch.run_pipeline([], dry_run=False)
    assert len(asked) == times


def test_forcing_what_is_no_stage_is_an_error(finished) -> None:
    done = finished[0].python(*PIPELINE, "--force", "cook")
    assert done.returncode == 2
    assert "download, sample, pretrain" in done.stderr


def test_a_users_mistake_is_told_in_the_stages_own_words(project, server) -> None:
    project.mark("missing")
    done = project.python(*PIPELINE, url=server)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "error: /nowhere.zip: exists. Put it there."
    assert "Traceback" not in done.stderr
    latest = [run for run in runs(server, "flow_runs") if run["name"] in ("pipeline", "download")][-2:]
    for run in latest:
        assert run["state_name"] == "Failed"
        assert "/nowhere.zip: exists. Put it there." in run["state"]["message"]


def test_a_bug_shows_where_it_is_and_ends_the_run(project, server) -> None:
    project.mark("broken")
    done = project.python(*PIPELINE, url=server)
    assert done.returncode == 1
    assert "RuntimeError: a bug" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: stage download failed")


def test_a_parameter_that_breaks_a_rule_stops_it_before_anything_starts(project) -> None:
    project.set("seed", "seven")
    done = project.python(*PIPELINE)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "seed" in done.stderr
    assert not (project.root / "data" / "work" / "prefect").exists()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks into /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_it_is_stopped_no_process_stays_behind(project, server, number) -> None:
    project.mark("slow")
    run = project.start(*PIPELINE, url=server)
    wait_until(lambda: project.log())
    os.kill(run.pid, number)
    code = run.wait(WITHIN)
    wait_until(lambda: not project.processes())
    assert code in {signal.SIGINT: (130,), signal.SIGTERM: (-15, 143), signal.SIGKILL: (-9,)}[number]
    assert not (project.root / "data" / "download").exists()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks into /proc")
def test_its_own_server_goes_with_it(project) -> None:
    project.mark("slow")
    run = project.start(*PIPELINE)
    wait_until(lambda: project.log(), 120)
    os.kill(run.pid, signal.SIGKILL)
    run.wait(WITHIN)
    wait_until(lambda: not project.processes())
    assert (project.root / "data/work/prefect/server.log").is_file()


def wait_until(true, seconds: float = WITHIN) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.1)


def test_a_second_one_is_refused_and_a_dry_run_tells_what_runs(project, server) -> None:
    project.mark("slow")
    first = project.start(*PIPELINE, url=server)
    try:
        wait_until(lambda: project.log())
        second = project.python(*PIPELINE, url=server)
        assert second.returncode == 2
        assert f"pipeline (process {first.pid} since 20" in second.stderr
        assert "stage download (process " in second.stderr
        look = project.python(*PIPELINE, "--dry-run")
        assert look.returncode == 0
        assert [line.split(" (process")[0] for line in look.stderr.splitlines()] == [
            "running: pipeline",
            "running: stage download",
        ]
    finally:
        first.terminate()
        first.wait(WITHIN)
    wait_until(lambda: not project.processes())
    assert "would run" in project.python(*PIPELINE, "--dry-run").stderr
