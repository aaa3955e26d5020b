"""A name stands for one checkpoint, kept whole, and the hash in `pretrain.init_from` is held to."""

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


def test_what_is_kept_is_the_best_checkpoint_and_is_found_again(trained: Workspace) -> None:
    best = (trained.checkpoints / "best.ckpt").read_bytes()
    champion = save_champion("first", trained)
    assert champion == Champion("first", sha256_file(trained.checkpoints / "best.ckpt"), newly_created=True)
    (trained.checkpoints / "best.ckpt").unlink()
    for digits in (12, 16, 64):
        path = resolve_champion(f"champion:first@{champion.sha256[:digits]}", trained)
        assert path.read_bytes() == best
    assert resolve_champion(champion.init_from, trained) == trained.champion("first")
    assert files(trained) == ["first.ckpt"]


def test_a_name_stands_for_one_checkpoint(trained: Workspace, pretrain_settings: PretrainSettings) -> None:
    first = save_champion("first", trained)
    assert save_champion("first", trained) == Champion("first", first.sha256, newly_created=False)
    before = trained.champion("first").read_bytes()
    train(trained, pretrain_settings, 8)
    with pytest.raises(ParameterError, match=f"new name.*{first.sha256[:16]}.*another name"):
        save_champion("first", trained)
    assert trained.champion("first").read_bytes() == before
    assert save_champion("second", trained).sha256 != first.sha256


@pytest.mark.parametrize("name", ["", "a/b", "..", "../a", ".hidden", "a@b", "a b", "Upper", "a\n", "ä", "a" * 65])
def test_a_name_is_no_path_and_fits_into_the_parameter(name: str, trained: Workspace) -> None:
    with pytest.raises(ParameterError, match="NAME"):
        save_champion(name, trained)
    assert files(trained) == []


@pytest.mark.parametrize("damage", ["absent", "cut", "foreign", "pickled"])
def test_only_a_checkpoint_is_kept(damage: str, trained: Workspace) -> None:
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


@pytest.mark.parametrize("start", ["champion", "champion:", "champion:first@abc", "champion:First@0123456789ab"])
def test_another_form_is_refused_with_what_is_kept(start: str, trained: Workspace) -> None:
    with pytest.raises(ParameterError, match=r"champion:NAME@HASH.*None are kept yet: `tryon save-champion NAME`"):
        resolve_champion(start, trained)
    save_champion("first", trained)
    save_champion("second", trained)
    (trained.champions / ".third.ckpt.tmp").write_bytes(b"left by a kill")
    with pytest.raises(ParameterError, match="Kept are first, second;"):
        resolve_champion(start, trained)


def test_a_name_under_which_none_is_kept_lists_the_others(trained: Workspace) -> None:
    save_champion("first", trained)
    with pytest.raises(WeightsError, match=r"third\.ckpt.*exists.*Kept are first;"):
        resolve_champion("champion:third@0123456789ab", trained)


def test_without_its_hash_the_message_says_what_to_write(trained: Workspace) -> None:
    champion = save_champion("first", trained)
    with pytest.raises(ParameterError, match=f"Write pretrain.init_from: {champion.init_from}"):
        resolve_champion("champion:first", trained)


def test_another_content_under_the_name_is_refused_with_both_hashes(trained: Workspace) -> None:
    champion = save_champion("first", trained)
    with pytest.raises(WeightsError, match=f"0123456789ab.*{champion.sha256[:12]}.*{champion.init_from}"):
        resolve_champion("champion:first@0123456789ab", trained)
    with trained.champion("first").open("ab") as stream:
        stream.write(b"more")
    with pytest.raises(WeightsError, match=champion.sha256[:16]):
        resolve_champion(champion.init_from, trained)


def test_the_command_prints_the_line_to_write(
    trained: Workspace, pretrain_settings: PretrainSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["save-champion", "first", "--root", str(trained.root)]
    line = f"pretrain.init_from: champion:first@{sha256_file(trained.checkpoints / 'best.ckpt')[:16]}\n"
    assert main(command) == 0
    said = capsys.readouterr()
    assert said.out == line
    assert said.err.startswith("kept: ")
    assert main(command) == 0
    again = capsys.readouterr()
    assert again.out == line
    assert again.err.startswith("kept already: ")
    train(trained, pretrain_settings, 8)
    assert main(command) == 2
    assert "Choose another name" in capsys.readouterr().err


def test_its_hash_stands_in_the_parameters_alone(trained: Workspace) -> None:
    root = Path(__file__).parents[2]
    start = save_champion("first", trained).init_from
    text = (root / "params" / "default.yaml").read_text()
    trained.params_file.write_text(text.replace("start: upper_body", f"start: {start}"))
    parameters = load_parameters(trained.params_file)
    assert parameters.pretrain.init_from == start
    assert weights_state(trained, parameters)["start"] is None
