"""The pretrain stage."""

from __future__ import annotations

from pathlib import Path

import pyarrow.compute as pc
import pytest
import torch

from tryon.config.training import PretrainSettings
from tryon.daflow import DAFlow
from tryon.errors import MissingInputError, ParameterError, WeightsError
from tryon.manifest import PACKED, read_table, write_table
from tryon.pretrain.champions import save_champion
from tryon.pretrain.stage import pretrain
from tryon.runtime.progress import no_progress
from tryon.training.checkpoint import load_checkpoint, load_network
from tryon.workspace import Workspace


def with_init_from(settings: PretrainSettings, init_from: str) -> PretrainSettings:
    return settings.model_copy(update={"init_from": init_from})


def test_train_upper_body_uses_upper_body_rows_only(workspace: Workspace, pretrain_settings: PretrainSettings) -> None:
    summary = pretrain(with_init_from(pretrain_settings, "train_upper_body"), 7, workspace, no_progress)
    checkpoint = load_checkpoint(workspace.pretrained / "model.ckpt")
    assert checkpoint.optimizer is None
    assert checkpoint.history[0]["val_l1_dresses"] is None
    assert [row["step"] for row in summary.table] == [0, 1, 2]  # three rows in batches of two, remainder dropped
    assert (workspace.pretrained / "history.csv").read_text().count("\n") == 4
    names = {path.name for path in (workspace.pretrained / "grids").iterdir()}
    assert names == {f"epoch_00{epoch}{end}.png" for epoch in range(3) for end in ("", "_upper_body")}
    assert not workspace.work_dir("pretrain").exists()


def test_scratch_writes_the_initialized_weights(workspace: Workspace, pretrain_settings: PretrainSettings) -> None:
    pretrain(with_init_from(pretrain_settings, "scratch"), 7, workspace, no_progress)
    first = (workspace.pretrained / "model.ckpt").read_bytes()
    torch.manual_seed(99)
    pretrain(with_init_from(pretrain_settings, "scratch"), 7, workspace, no_progress)
    assert (workspace.pretrained / "model.ckpt").read_bytes() == first
    pretrain(with_init_from(pretrain_settings, "scratch"), 8, workspace, no_progress)
    assert (workspace.pretrained / "model.ckpt").read_bytes() != first


def test_path_loads_a_checkpoint(workspace: Workspace, pretrain_settings: PretrainSettings) -> None:
    pretrain(with_init_from(pretrain_settings, "scratch"), 7, workspace, no_progress)
    path = workspace.root / "saved.ckpt"
    path.write_bytes((workspace.pretrained / "model.ckpt").read_bytes())
    pretrain(with_init_from(pretrain_settings, "scratch"), 8, workspace, no_progress)
    pretrain(with_init_from(pretrain_settings, "saved.ckpt"), 8, workspace, no_progress)
    old, new = load_network(path).state_dict(), load_network(workspace.pretrained / "model.ckpt").state_dict()
    assert all(torch.equal(old[key], new[key]) for key in old)


def test_published_loads_the_published_checkpoint(
    workspace: Workspace, pretrain_settings: PretrainSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRYON_WEIGHTS", str(workspace.root / "weights"))
    (workspace.root / "weights").mkdir()
    state = {f"module.{key}": value for key, value in DAFlow().state_dict().items()}
    torch.save({"state_dict": state}, workspace.root / "weights" / "ckpt_viton.pt")
    published = PretrainSettings.model_validate({"init_from": "published"})
    pretrain(published, 7, workspace, no_progress)
    network = load_network(workspace.pretrained / "model.ckpt")
    key = "dafnet.lights_encoder.0.weight"
    assert network.config == DAFlow().config
    assert torch.equal(network.state_dict()[key], state[f"module.{key}"])
    with pytest.raises(ParameterError, match=r"pretrain\.network"):
        pretrain(with_init_from(pretrain_settings, "published"), 7, workspace, no_progress)


@pytest.mark.parametrize(
    ("init_from", "hint"), [("published", "ckpt_viton.pt"), ("no/such.ckpt", "train_upper_body, scratch")]
)
def test_missing_checkpoint_is_named(
    init_from: str,
    hint: str,
    workspace: Workspace,
    pretrain_settings: PretrainSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TRYON_WEIGHTS", raising=False)
    with pytest.raises(WeightsError, match=hint):
        pretrain(with_init_from(pretrain_settings, init_from), 7, workspace, no_progress)
    assert not workspace.pretrained.exists()


def test_champion_loads_its_weights(workspace: Workspace, pretrain_settings: PretrainSettings) -> None:
    pretrain(with_init_from(pretrain_settings, "scratch"), 7, workspace, no_progress)
    workspace.checkpoints.mkdir()
    (workspace.pretrained / "model.ckpt").replace(workspace.checkpoints / "best.ckpt")
    champion = save_champion("first", workspace)
    pretrain(with_init_from(pretrain_settings, champion.init_from), 8, workspace, no_progress)
    old, new = load_network(workspace.champion("first")), load_network(workspace.pretrained / "model.ckpt")
    assert all(torch.equal(value, new.state_dict()[key]) for key, value in old.state_dict().items())
    other = pretrain_settings.network.model_copy(update={"num_flows": 3, "pyramid_channels": 16})
    wider = with_init_from(pretrain_settings, champion.init_from).model_copy(update={"network": other})
    with pytest.raises(ParameterError, match=r"pretrain\.network.*num_flows = \d.*pyramid_channels = \d"):
        pretrain(wider, 7, workspace, no_progress)


def test_champion_needs_a_name(workspace: Workspace, pretrain_settings: PretrainSettings) -> None:
    with pytest.raises(ParameterError, match="tryon save-champion NAME"):
        pretrain(with_init_from(pretrain_settings, "champion"), 7, workspace, no_progress)
    assert not workspace.pretrained.exists()


@pytest.mark.parametrize(
    "content",
    [
        {"kind": "fitting-room checkpoint"},
        {"kind": "fitting-room checkpoint", "version": 1, "model": {}},
        {0: torch.zeros(2)},
        [torch.zeros(2)],
        {"state_dict": {"weight": 3}},
    ],
    ids=["no version", "no network", "numbered", "a list", "no tensors"],
)
def test_rejects_other_checkpoints(content: object, workspace: Workspace, pretrain_settings: PretrainSettings) -> None:
    torch.save(content, workspace.root / "foreign.pt")
    with pytest.raises(WeightsError, match=r"foreign\.pt"):
        pretrain(with_init_from(pretrain_settings, "foreign.pt"), 7, workspace, no_progress)
    assert not workspace.pretrained.exists()


def test_rejects_a_subset_without_upper_body_rows(
    workspace: Workspace, pretrain_settings: PretrainSettings, tmp_path: Path
) -> None:
    table = read_table(workspace.subset("train"), PACKED)
    write_table(workspace.subset("train"), table.filter(pc.field("category") == "dresses"), PACKED)
    with pytest.raises(MissingInputError, match="upper_body"):
        pretrain(with_init_from(pretrain_settings, "train_upper_body"), 7, workspace, no_progress)
