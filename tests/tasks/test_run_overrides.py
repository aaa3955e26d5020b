"""Settings of a run: told before and after, and what they would make run though they are not written yet."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tasks import run_overrides as settings
from tryon.config.overrides import prepare_update
from tryon.workspace import Workspace

ROOT = Path(__file__).parents[2]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A project whose stages were last run with its settings; DVC finds `sample` out of date for its code."""
    shutil.copy(ROOT / "params" / "default.yaml", tmp_path / "params.yaml")
    content = YAML(typ="safe").load((tmp_path / "params.yaml").read_text())
    stages = {
        "download": {"params": {"params.yaml": {"seed": content["seed"], "download": content["download"]}}},
        "sample": {"params": {"params.yaml": {"image.size": content["image"]["size"], "sample": content["sample"]}}},
    }
    with (tmp_path / "dvc.lock").open("w") as file:
        YAML().dump({"schema": "2.0", "stages": stages}, file)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(settings, "stages_to_run", due)
    return Workspace()


def due(order, forced, changed):
    stale = {"sample": ["tryon/sample modified", "params.yaml: sample.val_fraction modified"]}
    return {name: stale[name] + ["forced"] * (name in forced) for name in order if name in stale}


def planned(workspace: Workspace, **values: object) -> dict[str, list[str]]:
    return settings.stages_to_run_with(prepare_update(workspace, None, values), ["download", "sample"], [], {})


def test_without_changes_it_is_what_dvc_says(workspace: Workspace) -> None:
    assert list(planned(workspace)) == ["sample"]


def test_typed_settings_make_the_stages_due_that_read_them(workspace: Workspace) -> None:
    assert planned(workspace, image={"size": [64, 48]}) == {
        "sample": ["tryon/sample modified", "params.yaml: image.size modified"]
    }
    seed = planned(workspace, seed=8, download={"include_densepose_uv": True})
    assert seed["download"] == ["params.yaml: seed modified", "params.yaml: download.include_densepose_uv modified"]
    assert planned(workspace, finetune={"epochs": 9}) == {"sample": ["tryon/sample modified"]}


def test_going_back_to_what_was_run_last_makes_nothing_due(workspace: Workspace) -> None:
    prepare_update(workspace, None, {"seed": 8}).write(workspace)
    assert "download" not in planned(workspace, seed=7)


def test_changes_are_told(workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    pages: list[str] = []
    monkeypatch.setattr(settings, "publish_markdown", lambda key, text, description: pages.append(text))
    settings.validate_overrides(workspace, None, {"seed": 8}, [])
    assert "seed: 7 -> 8" in capsys.readouterr().err
    assert "| `seed` | 7 | 8 |" in pages[0]
    settings.validate_overrides(workspace, None, {}, [])
    assert len(pages) == 1


def test_a_plan_is_a_table(monkeypatch) -> None:
    pages: list[str] = []
    monkeypatch.setattr(settings, "publish_markdown", lambda key, text, description: pages.append(text))
    assert settings.publish_plan({"sample": ["a", "b", "c", "d"]}) == {"sample": "a, b, c and 1 more"}
    assert "| sample | a, b, c and 1 more |" in pages[0]
    assert settings.publish_plan({}) == {}
    assert pages[1] == "Nothing would run."
