"""The command of every stage, with and without Prefect."""

from __future__ import annotations

import re

import httpx
import pytest
from ruamel.yaml import YAML

from tryon.runtime.code_version import ROOT

pytestmark = pytest.mark.slow


def without_times(text: str) -> str:
    """Replace durations in the output of a run."""
    return re.sub(r"\(\d.*?s\)", "(time)", text)


def test_prefect_is_not_imported_without_an_api(project) -> None:
    done = project.python("stage.py", "download")
    assert done.returncode == 0, done.stderr
    assert project.log() == ["download without Prefect"]
    assert "wrote data/download" in done.stderr


def test_output_is_the_same_with_an_api(project, server, tmp_path) -> None:
    plain = project.copy(tmp_path / "plain")
    with_flow, without = project.python("stage.py", "download", url=server), plain.python("stage.py", "download")
    assert with_flow.returncode == without.returncode == 0, with_flow.stderr
    assert without_times(with_flow.stderr) == without_times(without.stderr)
    assert with_flow.stdout == without.stdout == ""
    assert project.log() == ["download with Prefect"]
    assert (project.root / "data/download").read_bytes() == (plain.root / "data/download").read_bytes()


@pytest.mark.parametrize("with_api", [False, True])
def test_user_error_is_one_message_and_is_not_retried(project, server, with_api) -> None:
    project.mark("missing")
    done = project.python("stage.py", "download", url=server if with_api else "")
    assert done.returncode == 2
    assert done.stderr.strip() == "error: /nowhere.zip not found. Put it there."
    assert len(project.log()) == 1


@pytest.mark.parametrize("driver", ["flows", "dvc"])
def test_edit_during_a_run_fails_the_stage(project, server, driver) -> None:
    command = ("-m", "flows") if driver == "flows" else ("-m", "dvc", "repro")
    url = server if driver == "flows" else ""
    project.mark("edited")
    done = project.python(*command, url=url)
    assert done.returncode != 0
    assert "inputs of download changed while it ran (params.yaml: seed)" in done.stderr
    assert "Run it again" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (project.root / "dvc.lock").exists()
    assert len(project.log()) == 1
    if url:
        newest = {"sort": "START_TIME_DESC", "limit": 1, "flow_runs": {"name": {"any_": ["download"]}}}
        (run,) = httpx.post(f"{url}/flow_runs/filter", json=newest, trust_env=False).json()
        assert run["state_name"] == "Failed"
    assert project.python("-m", "dvc", "repro").returncode == 0
    assert (project.root / "data/download").read_text().startswith("(8,")


def test_restored_index_comes_with_its_raw_files(tmp_path, new_project) -> None:
    """DVC still has the outputs of the first run, but not data/raw."""
    project = new_project(tmp_path / "project")
    entry = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())["stages"]["download"]
    chain = {"stages": {"download": {**entry, "deps": ["data/source.json"]}}}
    with (project.root / "dvc.yaml").open("w") as file:
        YAML().dump(chain, file)
    project.set("download.synthetic.test_pairs", 2)
    for count in (2, 3, 2):
        project.set("download.synthetic.train_pairs", count)
        done = project.python("-m", "dvc", "repro")
        assert done.returncode == 0, done.stderr
        assert len((project.root / "data/raw/dresses/train_pairs.txt").read_text().splitlines()) == count


def test_unreachable_api_is_an_error(project) -> None:
    done = project.python("stage.py", "download", url="http://127.0.0.1:9/api")
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "PREFECT_API_URL" in done.stderr
    assert project.log() == []


def test_unknown_stages_and_categories_are_rejected(project) -> None:
    assert project.python("-m", "flows.stage_command", "unknown").returncode == 2
    done = project.python("-m", "flows.stage_command", "sample", "dresses")
    assert done.returncode == 2
    assert "takes no category" in done.stderr
