"""Champions: unique names, atomic copies, and verification of the hash in `pretrain.init_from`."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tryon.cli import main
from tryon.config.parameters import load_parameters
from tryon.config.training import PretrainSettings
from tryon.errors import ParameterError, WeightsError
from tryon.pipeline.external_inputs import weights_state
from tryon.pretrain.champions import Champion, resolve_champion, save_champion
from tryon.pretrain.initialization import new_network
from tryon.runtime.atomic_files import sha256_file
from tryon.training.checkpoint import from_network, save_checkpoint
from tryon.workspace import Workspace


@pytest.fixture
def trained(workspace: Workspace, pretrain_settings: PretrainSettings) -> Workspace:
    train(workspace, pretrain_settings, 7)
    return workspace


def train(workspace: Workspace, settings: PretrainSettings, seed: int) -> None:
    save_checkpoint(workspace.checkpoints / "best.ckpt", from_network(new_network(settings.network, seed)))


def files(workspace: Workspace) -> list[str]:
    return sorted(path.name for path in workspace.champions.iterdir()) if workspace.champions.exists() else []


def test_saves_and_resolves_the_best_checkpoint(trained: Workspace) -> None:
    best = (trained.checkpoints / "best.ckpt").read_bytes()
    champion = save_champion("first", trained)
    assert champion == Champion("first", sha256_file(trained.checkpoints / "best.ckpt"), newly_created=True)
    (trained.checkpoints / "best.ckpt").unlink()
    for digits in (12, 16, 64):
        path = resolve_champion(f"champion:first@{champion.sha256[:digits]}", trained)
        assert path.read_bytes() == best
    assert resolve_champion(champion.init_from, trained) == trained.champion("first")
    assert files(trained) == ["first.ckpt"]


def test_name_is_unique(trained: Workspace, pretrain_settings: PretrainSettings) -> None:
    first = save_champion("first", trained)
    assert save_champion("first", trained) == Champion("first", first.sha256, newly_created=False)
    before = trained.champion("first").read_bytes()
    train(trained, pretrain_settings, 8)
    with pytest.raises(ParameterError, match="champion first already exists") as error:
        save_champion("first", trained)
    assert error.value.found == first.sha256[:16]
    assert "another name" in error.value.hint
    assert trained.champion("first").read_bytes() == before
    assert save_champion("second", trained).sha256 != first.sha256


@pytest.mark.parametrize("name", ["", "a/b", "..", "../a", ".hidden", "a@b", "a b", "Upper", "a\n", "ä", "a" * 65])
def test_rejects_invalid_names(name: str, trained: Workspace) -> None:
    with pytest.raises(ParameterError, match="NAME"):
        save_champion(name, trained)
    assert files(trained) == []


@pytest.mark.parametrize("damage", ["absent", "cut", "foreign", "pickled"])
def test_rejects_missing_or_damaged_checkpoint(damage: str, trained: Workspace) -> None:
    best = trained.checkpoints / "best.ckpt"
    content = best.read_bytes()
    best.unlink()
    if damage == "cut":
        best.write_bytes(content[: len(content) // 2])
    elif damage == "foreign":
        torch.save({"state_dict": {}}, best)
    elif damage == "pickled":
        torch.save({"kind": Path()}, best)
    with pytest.raises(WeightsError, match=r"best\.ckpt"):
        save_champion("first", trained)
    assert files(trained) == []


@pytest.mark.parametrize("init_from", ["champion", "champion:", "champion:first@abc", "champion:First@0123456789ab"])
def test_rejects_other_forms_and_lists_champions(init_from: str, trained: Workspace) -> None:
    with pytest.raises(ParameterError, match=r"champion:NAME@HASH.*Run `tryon save-champion NAME`"):
        resolve_champion(init_from, trained)
    save_champion("first", trained)
    save_champion("second", trained)
    (trained.champions / ".third.ckpt.tmp").write_bytes(b"left by a killed process")
    with pytest.raises(ParameterError, match="one of first, second"):
        resolve_champion(init_from, trained)


def test_unknown_name_lists_the_champions(trained: Workspace) -> None:
    save_champion("first", trained)
    with pytest.raises(WeightsError, match=r"third\.ckpt not found.*one of first"):
        resolve_champion("champion:third@0123456789ab", trained)


def test_missing_hash_is_suggested(trained: Workspace) -> None:
    champion = save_champion("first", trained)
    with pytest.raises(ParameterError, match=f"Write `pretrain.init_from: {champion.init_from}`"):
        resolve_champion("champion:first", trained)


def test_rejects_another_hash(trained: Workspace) -> None:
    champion = save_champion("first", trained)
    with pytest.raises(WeightsError, match=f"{champion.sha256[:12]}.*0123456789ab.*{champion.init_from}"):
        resolve_champion("champion:first@0123456789ab", trained)
    with trained.champion("first").open("ab") as stream:
        stream.write(b"more")
    with pytest.raises(WeightsError, match=champion.sha256[:16]):
        resolve_champion(champion.init_from, trained)


def test_command_prints_the_parameter(
    trained: Workspace, pretrain_settings: PretrainSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["save-champion", "first", "--root", str(trained.root)]
    line = f"pretrain.init_from: champion:first@{sha256_file(trained.checkpoints / 'best.ckpt')[:16]}\n"
    assert main(command) == 0
    first = capsys.readouterr()
    assert first.out == line
    assert first.err.startswith("saved: ")
    assert main(command) == 0
    second = capsys.readouterr()
    assert second.out == line
    assert second.err.startswith("already saved: ")
    train(trained, pretrain_settings, 8)
    assert main(command) == 2
    assert "Choose another name" in capsys.readouterr().err


def test_hash_is_recorded_in_the_parameters_only(trained: Workspace) -> None:
    root = Path(__file__).parents[2]
    init_from = save_champion("first", trained).init_from
    text = (root / "params" / "default.yaml").read_text()
    trained.params_file.write_text(text.replace("init_from: train_upper_body", f"init_from: {init_from}"))
    parameters = load_parameters(trained.params_file)
    assert parameters.pretrain.init_from == init_from
    assert weights_state(trained, parameters)["start"] is None
