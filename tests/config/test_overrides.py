"""Changing params.yaml: what is asked for and nothing else, comments kept, all or nothing."""

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


def test_only_the_lines_of_changed_keys_change(workspace: Workspace) -> None:
    before = workspace.params_file.read_text().splitlines()
    proposal = prepare_update(
        workspace, None, {"finetune": {"lr": 0.001}, "image": {"size": (64, 48)}}, ["finetune.early_stop_patience"]
    )
    after = proposal.text.splitlines()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == 2  # patience was null already
    assert changed[0][1].split("#")[0].strip() == "size: [64, 48]"
    assert "# height, width" in changed[0][1]
    assert changed[1][1] == "  lr: 0.001"
    assert proposal.changes == [Change("image.size", [128, 96], [64, 48]), Change("finetune.lr", 0.002, 0.001)]
    assert str(proposal.changes[1]) == "finetune.lr: 0.002 -> 0.001"


def test_nothing_is_written_before_write(workspace: Workspace) -> None:
    before = workspace.params_file.read_bytes()
    proposal = prepare_update(workspace, None, {"seed": 8})
    assert workspace.params_file.read_bytes() == before
    proposal.write(workspace)
    assert load_parameters(workspace.params_file).seed == 8


def test_asking_for_nothing_leaves_the_file_untouched(workspace: Workspace) -> None:
    facts = workspace.params_file.stat()
    for values in ({}, {"seed": 7}):
        proposal = prepare_update(workspace, None, values)
        assert proposal.changes == []
        proposal.write(workspace)
    assert workspace.params_file.stat().st_ino == facts.st_ino


def test_a_preset_is_taken_as_it_stands_and_then_changed(workspace: Workspace) -> None:
    preset = (workspace.root / "params/dresscode.yaml").read_text()
    assert prepare_update(workspace, "dresscode").text == preset
    both = prepare_update(workspace, "dresscode", {"seed": 99})
    assert both.parameters.seed == 99
    assert both.parameters.image.size == (512, 384)
    assert "seed" in {change.key for change in both.changes}


def test_null_is_written_as_a_word(workspace: Workspace) -> None:
    proposal = prepare_update(workspace, None, {}, ["finetune.divergence_factor"])
    assert "  divergence_factor: null\n" in proposal.text
    assert "sha256: null\n" in proposal.text
    assert proposal.parameters.finetune.divergence_factor is None


@pytest.mark.parametrize(
    ("preset", "values", "nulls", "told"),
    [
        (None, {"seed": -1, "finetune": {"learning": 3}}, [], "seed: .*-1; finetune.learning: unknown key"),
        ("no", {}, [], "default, dresscode"),
        (None, {}, ["finetune.lr"], "finetune.lr"),
        (None, {"finetune": {"divergence_factor": 2.0}}, ["finetune.divergence_factor"], "not both"),
    ],
)
def test_a_mistake_is_one_message(workspace: Workspace, preset, values, nulls, told) -> None:
    before = workspace.params_file.read_bytes()
    with pytest.raises(ParameterError, match=told):
        prepare_update(workspace, preset, values, nulls)
    assert workspace.params_file.read_bytes() == before


def test_every_key_that_may_be_null_is_known(workspace: Workspace) -> None:
    for key in nullable_keys():
        assert prepare_update(workspace, None, {}, [key]).parameters


def test_passwords_in_addresses_are_not_told() -> None:
    change = str(Change("download.source", "synthetic", "https://me:secret@host/archive.zip"))
    assert "secret" not in change
    assert "host/archive.zip" in change
