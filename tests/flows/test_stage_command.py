"""The command of every stage: one path with and without Prefect."""

from __future__ import annotations

import re

import httpx
import pytest
from ruamel.yaml import YAML

from tryon.runtime.code_version import ROOT


def told(text: str) -> str:
    """What a run printed, without how long it took."""
    return re.sub(r"\(\d.*?s\)", "(time)", text)


def test_without_an_api_prefect_is_not_even_imported(project) -> None:
    done = project.python("stage.py", "download")
    assert done.returncode == 0, done.stderr
    assert project.log() == ["download without Prefect"]
    assert "wrote data/download" in done.stderr


def test_with_an_api_the_same_comes_out(project, server, tmp_path) -> None:
    plain = project.copy(tmp_path / "plain")
    with_flow, without = project.python("stage.py", "download", url=server), plain.python("stage.py", "download")
    assert with_flow.returncode == without.returncode == 0, with_flow.stderr
    assert told(with_flow.stderr) == told(without.stderr)
    assert with_flow.stdout == without.stdout == ""
    assert project.log() == ["download with Prefect"]
    assert (project.root / "data/download").read_bytes() == (plain.root / "data/download").read_bytes()


@pytest.mark.parametrize("with_api", [False, True])
def test_a_users_mistake_is_one_message_and_is_not_tried_again(project, server, with_api) -> None:
    project.mark("missing")
    done = project.python("stage.py", "download", url=server if with_api else "")
    assert done.returncode == 2
    assert done.stderr.strip() == "error: /nowhere.zip: exists. Put it there."
    assert len(project.log()) == 1


@pytest.mark.parametrize("driver", ["flows", "dvc"])
def test_an_edit_during_a_run_is_not_recorded_as_what_made_the_output(project, server, driver) -> None:
    command = ("-m", "flows") if driver == "flows" else ("-m", "dvc", "repro")
    url = server if driver == "flows" else ""
    project.mark("edited")
    done = project.python(*command, url=url)
    assert done.returncode != 0
    assert "'params.yaml: seed changed'" in done.stderr
    assert "run again" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (project.root / "dvc.lock").exists()
    assert len(project.log()) == 1
    if url:
        newest = {"sort": "START_TIME_DESC", "limit": 1, "flow_runs": {"name": {"any_": ["download"]}}}
        (run,) = httpx.post(f"{url}/flow_runs/filter", json=newest, trust_env=False).json()
        assert run["state_name"] == "Failed"
    assert project.python("-m", "dvc", "repro").returncode == 0
    assert (project.root / "data/download").read_text().startswith("(8,")


def test_going_back_to_earlier_data_brings_its_files_back_too(tmp_path, new_project) -> None:
    """DVC knows the outputs of the first run still, but not what lay in data/raw."""
    project = new_project(tmp_path / "project")
    written = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())["stages"]["download"]
    chain = {"stages": {"download": {**written, "deps": ["data/source.json"]}}}
    with (project.root / "dvc.yaml").open("w") as file:
        YAML().dump(chain, file)
    project.set("download.synthetic.test_pairs", 2)
    for count in (2, 3, 2):
        project.set("download.synthetic.train_pairs", count)
        done = project.python("-m", "dvc", "repro")
        assert done.returncode == 0, done.stderr
        assert len((project.root / "data/raw/dresses/train_pairs.txt").read_text().splitlines()) == count


def test_an_api_that_does_not_answer_is_an_error(project) -> None:
    done = project.python("stage.py", "download", url="http://127.0.0.1:9/api")
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "PREFECT_API_URL" in done.stderr
    assert project.log() == []


def test_stages_and_categories_are_checked(project) -> None:
    assert project.python("-m", "flows.stage_command", "cook").returncode == 2
    done = project.python("-m", "flows.stage_command", "sample", "dresses")
    assert done.returncode == 2
    assert "takes no category" in done.stderr
