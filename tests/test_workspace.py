"""Paths of a workspace and their overrides."""

from pathlib import Path

import pytest

from tryon.errors import ParameterError
from tryon.workspace import Workspace


def test_environment_overrides_weights_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace()
    monkeypatch.delenv("TRYON_WEIGHTS", raising=False)
    assert workspace.weights == workspace.data / "weights"
    monkeypatch.setenv("TRYON_WEIGHTS", "")
    assert workspace.weights == workspace.data / "weights"
    monkeypatch.setenv("TRYON_WEIGHTS", "elsewhere")
    assert str(workspace.weights) == "elsewhere"


def test_environment_takes_precedence_over_weights_folder_of_params(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRYON_WEIGHTS", raising=False)
    workspace = Workspace(Path("root"))
    assert workspace.with_weights(None) == workspace
    assert workspace.with_weights("nets").weights == Path("root/nets")
    assert workspace.with_weights("/nets").weights == Path("/nets")
    monkeypatch.setenv("TRYON_WEIGHTS", "elsewhere")
    assert workspace.with_weights("nets").weights == Path("elsewhere")


def test_paths_inside_stage_folders_are_rejected(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.reject_stage_output(tmp_path / "data" / "scores" / "x.json", "--out")
    with pytest.raises(ParameterError, match=r"--out is inside .*data/index"):
        workspace.reject_stage_output(tmp_path / "data" / "index" / "deep" / "x.json", "--out")
