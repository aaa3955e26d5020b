"""Updates of params.yaml change only the given keys, preserve comments and are all or nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tryon.config.overrides import Change, nullable_keys, prepare_update
from tryon.config.parameters import load_parameters
from tryon.errors import ParameterError
from tryon.workspace import Workspace

ROOT = Path(__file__).parents[2]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    shutil.copy(ROOT / "params.yaml", tmp_path)
    shutil.copytree(ROOT / "params", tmp_path / "params")
    return Workspace(tmp_path)


def test_only_lines_of_changed_keys_change(workspace: Workspace) -> None:
    before = workspace.params_file.read_text().splitlines()
    update = prepare_update(
        workspace, None, {"finetune": {"lr": 0.001}, "image": {"size": (64, 48)}}, ["finetune.early_stop_patience"]
    )
    after = update.text.splitlines()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == 2  # early_stop_patience is null already
    assert changed[0][1].split("#")[0].strip() == "size: [64, 48]"
    assert "# height, width" in changed[0][1]
    assert changed[1][1] == "  lr: 0.001"
    assert update.changes == [Change("image.size", [128, 96], [64, 48]), Change("finetune.lr", 0.002, 0.001)]
    assert str(update.changes[1]) == "finetune.lr: 0.002 -> 0.001"


def test_nothing_is_written_before_write(workspace: Workspace) -> None:
    before = workspace.params_file.read_bytes()
    update = prepare_update(workspace, None, {"seed": 8})
    assert workspace.params_file.read_bytes() == before
    update.write(workspace)
    assert load_parameters(workspace.params_file).seed == 8


def test_empty_update_leaves_file_untouched(workspace: Workspace) -> None:
    facts = workspace.params_file.stat()
    for values in ({}, {"seed": 7}):
        update = prepare_update(workspace, None, values)
        assert update.changes == []
        update.write(workspace)
    assert workspace.params_file.stat().st_ino == facts.st_ino


def test_preset_is_applied_before_overrides(workspace: Workspace) -> None:
    preset = (workspace.root / "params/dresscode.yaml").read_text()
    assert prepare_update(workspace, "dresscode").text == preset
    both = prepare_update(workspace, "dresscode", {"seed": 99})
    assert both.parameters.seed == 99
    assert both.parameters.image.size == (512, 384)
    assert "seed" in {change.key for change in both.changes}


def test_none_is_written_as_null(workspace: Workspace) -> None:
    update = prepare_update(workspace, None, {}, ["finetune.divergence_factor"])
    assert "  divergence_factor: null\n" in update.text
    assert "sha256: null\n" in update.text
    assert update.parameters.finetune.divergence_factor is None


@pytest.mark.parametrize(
    ("preset", "values", "nulls", "message"),
    [
        (None, {"seed": -1, "finetune": {"learning": 3}}, [], "unknown key finetune.learning; seed: .*-1"),
        ("no", {}, [], "default, dresscode"),
        (None, {}, ["finetune.lr"], "finetune.lr"),
        (
            None,
            {"finetune": {"divergence_factor": 2.0}},
            ["finetune.divergence_factor"],
            "to a value and to null",
        ),
    ],
)
def test_invalid_update_is_rejected(workspace: Workspace, preset, values, nulls, message) -> None:
    before = workspace.params_file.read_bytes()
    with pytest.raises(ParameterError, match=message):
        prepare_update(workspace, preset, values, nulls)
    assert workspace.params_file.read_bytes() == before


def test_nullable_keys_accept_null(workspace: Workspace) -> None:
    for key in nullable_keys():
        assert prepare_update(workspace, None, {}, [key]).parameters


def test_change_redacts_credentials_in_urls() -> None:
    change = str(Change("download.source", "synthetic", "https://me:secret@host/archive.zip"))
    assert "secret" not in change
    assert "host/archive.zip" in change
