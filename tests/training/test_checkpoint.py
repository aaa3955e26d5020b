"""Checkpoints: round trip, equal bytes for equal states, and validation."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest
import torch

from tryon.config.training import PretrainSettings
from tryon.daflow import DAFlow, NetworkOptionError
from tryon.errors import WeightsError
from tryon.pretrain.initialization import new_network
from tryon.training.checkpoint import (
    Checkpoint,
    build_network,
    from_network,
    load_checkpoint,
    load_network,
    save_checkpoint,
)  # fmt: skip


@pytest.fixture
def network(pretrain_settings: PretrainSettings) -> DAFlow:
    return new_network(pretrain_settings.network, 3)


@pytest.fixture
def checkpoint(network: DAFlow) -> Checkpoint:
    optimizer = torch.optim.AdamW(network.parameters())
    network(torch.zeros(2, 6, 16, 16), torch.zeros(2, 3, 16, 16), torch.zeros(2, 3, 16, 16)).mean().backward()
    optimizer.step()
    return Checkpoint(
        network=network.config.to_dict(),
        model=network.state_dict(),
        seed=3,
        config_hash="abc",
        epoch=2,
        step=9,
        best_epoch=1,
        history=({"epoch": 0, "val_l1": 0.5, "lr": None},),
        optimizer=optimizer.state_dict(),
        scaler={"scale": 1024.0, "_growth_tracker": 5},
        ema={key: tensor + 1 for key, tensor in network.state_dict().items()},
        losses=({"loss": 0.5, "l1": 0.5}, {"loss": 0.25, "l1": 0.25}),
    )


def test_round_trip(checkpoint: Checkpoint, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "a.ckpt", checkpoint)
    loaded = load_checkpoint(tmp_path / "a.ckpt")
    for name in ("network", "seed", "config_hash", "epoch", "step", "best_epoch", "history", "scaler", "losses"):
        assert getattr(loaded, name) == getattr(checkpoint, name)
    assert all(torch.equal(loaded.model[key], tensor) for key, tensor in checkpoint.model.items())
    assert loaded.optimizer is not None
    assert checkpoint.optimizer is not None
    assert loaded.optimizer["param_groups"][0]["lr"] == checkpoint.optimizer["param_groups"][0]["lr"]
    assert torch.equal(loaded.optimizer["state"][0]["exp_avg"], checkpoint.optimizer["state"][0]["exp_avg"])


def test_inference_copy_has_the_averaged_weights_only(checkpoint: Checkpoint) -> None:
    inference = checkpoint.inference_copy()
    assert inference.ema is None
    assert inference.optimizer is None
    assert inference.losses == ()
    assert checkpoint.ema is not None
    assert all(torch.equal(inference.model[key], tensor) for key, tensor in checkpoint.ema.items())


def test_equal_states_give_equal_bytes(checkpoint: Checkpoint, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "a.ckpt", checkpoint)
    save_checkpoint(tmp_path / "another_name.ckpt", load_checkpoint(tmp_path / "a.ckpt"))
    assert (tmp_path / "a.ckpt").read_bytes() == (tmp_path / "another_name.ckpt").read_bytes()
    swapped = {
        key: tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor
        for key, tensor in checkpoint.model.items()
    }
    save_checkpoint(tmp_path / "b.ckpt", Checkpoint(**{**vars(checkpoint), "model": swapped}))
    assert (tmp_path / "a.ckpt").read_bytes() == (tmp_path / "b.ckpt").read_bytes()


def test_network_round_trip(network: DAFlow, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "a.ckpt", from_network(network))
    loaded = load_network(tmp_path / "a.ckpt")
    assert loaded.config == network.config
    assert not loaded.training
    assert all(torch.equal(loaded.state_dict()[key], tensor) for key, tensor in network.state_dict().items())


def test_rejects_truncated_or_damaged_file(checkpoint: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    save_checkpoint(path, checkpoint)
    intact = path.read_bytes()
    for damaged in (intact[: len(intact) // 2], intact[:-1], b"", intact[:5000] + b"\0\xff" + intact[5002:]):
        path.write_bytes(damaged)
        with pytest.raises(WeightsError, match=r"a\.ckpt"):
            load_checkpoint(path)


def test_missing_file_names_the_hint(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="tryon pretrain"):
        load_checkpoint(tmp_path / "a.ckpt", "Run `tryon pretrain` first.")


class Malicious:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.mark),)


def test_code_in_a_file_is_not_run(checkpoint: Checkpoint, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    torch.save({"kind": "fitting-room checkpoint", "model": Malicious(mark)}, tmp_path / "a.ckpt")
    with pytest.raises(WeightsError):
        load_checkpoint(tmp_path / "a.ckpt")
    assert not mark.exists()


def test_rejects_other_files_of_tensors(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(2)}, tmp_path / "a.ckpt")
    with pytest.raises(WeightsError, match="checkpoint of this project"):
        load_checkpoint(tmp_path / "a.ckpt")


INVALID_ENTRIES = {
    "version": None, "network": [3], "model": {"weight": 3}, "epoch": "two", "best_epoch": -1, "history": 7,
    "optimizer": [], "scaler": None, "config_hash": 5, "seed": None, "step": 0.5, "ema": {"weight": 3},
    "losses": [{"loss": "high"}],
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", INVALID_ENTRIES)
def test_missing_or_invalid_entry_is_named(name: str, checkpoint: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    save_checkpoint(path, checkpoint)
    content = torch.load(path, weights_only=True)
    for changed in (
        {**content, name: INVALID_ENTRIES[name]},
        {key: value for key, value in content.items() if key != name},
    ):
        torch.save(changed, path)
        with pytest.raises(WeightsError, match=name) as error:
            load_checkpoint(path)
        assert str(path) in error.value.problem


def test_every_field_is_validated() -> None:
    assert set(INVALID_ENTRIES) - {"version"} == {field.name for field in dataclasses.fields(Checkpoint)}


@pytest.mark.parametrize("options", [{"num_flows": "six"}, {"depth": 3}, {"encoder_channels": 4}])
def test_rejects_invalid_network_options(options: dict, checkpoint: Checkpoint, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "a.ckpt", dataclasses.replace(checkpoint, network=options))
    with pytest.raises(NetworkOptionError, match=next(iter(options))):
        load_network(tmp_path / "a.ckpt")


def test_lists_weights_that_do_not_fit_the_options(checkpoint: Checkpoint) -> None:
    model = {key: tensor for key, tensor in checkpoint.model.items() if "lights" not in key}
    with pytest.raises(WeightsError, match="lights_encoder"):
        build_network(Checkpoint(checkpoint.network, model), "a.ckpt")
