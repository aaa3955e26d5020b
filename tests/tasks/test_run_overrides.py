"""Settings of the run form: published changes, and the stages that they would run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tasks import run_overrides
from tryon.config.overrides import prepare_update
from tryon.workspace import Workspace

ROOT = Path(__file__).parents[2]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A project whose stages were last run with its settings; DVC reports `sample` as outdated for its code."""
    shutil.copy(ROOT / "params" / "default.yaml", tmp_path / "params.yaml")
    content = YAML(typ="safe").load((tmp_path / "params.yaml").read_text())
    stages = {
        "download": {"params": {"params.yaml": {"seed": content["seed"], "download": content["download"]}}},
        "sample": {"params": {"params.yaml": {"image.size": content["image"]["size"], "sample": content["sample"]}}},
    }
    with (tmp_path / "dvc.lock").open("w") as file:
        YAML().dump({"schema": "2.0", "stages": stages}, file)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run_overrides, "stages_to_run", due)
    return Workspace()


def due(order, forced, changed):
    outdated = {"sample": ["dependency changed: tryon/sample", "parameter changed: sample.val_fraction"]}
    return {name: outdated[name] + ["forced"] * (name in forced) for name in order if name in outdated}


def plan(workspace: Workspace, **values: object) -> dict[str, list[str]]:
    return run_overrides.stages_to_run_with(prepare_update(workspace, None, values), ["download", "sample"], [], {})


def test_without_changes_the_plan_is_that_of_dvc(workspace: Workspace) -> None:
    assert list(plan(workspace)) == ["sample"]


def test_changed_settings_run_the_stages_that_read_them(workspace: Workspace) -> None:
    assert plan(workspace, image={"size": [64, 48]}) == {
        "sample": ["dependency changed: tryon/sample", "parameter changed: image.size"]
    }
    seed = plan(workspace, seed=8, download={"include_densepose_uv": True})
    assert seed["download"] == ["parameter changed: seed", "parameter changed: download.include_densepose_uv"]
    assert plan(workspace, finetune={"epochs": 9}) == {"sample": ["dependency changed: tryon/sample"]}


def test_restoring_the_last_settings_runs_nothing(workspace: Workspace) -> None:
    prepare_update(workspace, None, {"seed": 8}).write(workspace)
    assert "download" not in plan(workspace, seed=7)


def test_changes_are_published(workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    pages: list[str] = []
    monkeypatch.setattr(run_overrides, "publish_markdown", lambda key, text, description: pages.append(text))
    run_overrides.validate_overrides(workspace, None, {"seed": 8}, [])
    assert "seed: 7 -> 8" in capsys.readouterr().err
    assert "| `seed` | 7 | 8 |" in pages[0]
    run_overrides.validate_overrides(workspace, None, {}, [])
    assert len(pages) == 1


def test_plan_is_published_as_table(monkeypatch) -> None:
    pages: list[str] = []
    titles: list[str] = []

    def publish(key: str, text: str, description: str) -> None:
        pages.append(text)
        titles.append(description)

    monkeypatch.setattr(run_overrides, "publish_markdown", publish)
    assert run_overrides.publish_plan({"sample": ["a", "b", "c", "d"]}) == {"sample": "a, b, c and 1 more"}
    assert "| sample | a, b, c and 1 more |" in pages[0]
    assert run_overrides.publish_plan({}) == {}
    assert pages[1] == "Nothing would run."
    run_overrides.publish_plan({"sample": ["a"], "pretrain": ["b"]})
    assert titles == ["1 stage would run", "nothing would run", "2 stages would run"]
