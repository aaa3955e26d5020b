"""Paths that the environment may change."""

from pathlib import Path

import pytest

from tryon.workspace import Workspace


def test_weights_lie_in_the_workspace_unless_another_folder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace()
    monkeypatch.delenv("TRYON_WEIGHTS", raising=False)
    assert workspace.weights == workspace.data / "weights"
    monkeypatch.setenv("TRYON_WEIGHTS", "")
    assert workspace.weights == workspace.data / "weights"
    monkeypatch.setenv("TRYON_WEIGHTS", "elsewhere")
    assert str(workspace.weights) == "elsewhere"


def test_params_can_name_a_folder_of_weights_and_the_machine_outranks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRYON_WEIGHTS", raising=False)
    workspace = Workspace(Path("root"))
    assert workspace.with_weights(None) == workspace
    assert workspace.with_weights("nets").weights == Path("root/nets")
    assert workspace.with_weights("/nets").weights == Path("/nets")
    monkeypatch.setenv("TRYON_WEIGHTS", "elsewhere")
    assert workspace.with_weights("nets").weights == Path("elsewhere")
