"""Paths that the environment may change."""

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
