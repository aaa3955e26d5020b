"""Checkpoints come back as they were, have one form, and are refused when they are not whole or not plain."""

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


def test_it_comes_back_as_it_was(checkpoint: Checkpoint, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "a.ckpt", checkpoint)
    loaded = load_checkpoint(tmp_path / "a.ckpt")
    for name in ("network", "seed", "digest", "epoch", "step", "best_epoch", "history", "scaler", "losses"):
        assert getattr(loaded, name) == getattr(checkpoint, name)
    assert all(torch.equal(loaded.model[key], tensor) for key, tensor in checkpoint.model.items())
    assert loaded.optimizer is not None
    assert checkpoint.optimizer is not None
    assert loaded.optimizer["param_groups"][0]["lr"] == checkpoint.optimizer["param_groups"][0]["lr"]
    assert torch.equal(loaded.optimizer["state"][0]["exp_avg"], checkpoint.optimizer["state"][0]["exp_avg"])


def test_for_use_is_the_averaged_network_and_nothing_that_only_going_on_needs(checkpoint: Checkpoint) -> None:
    used = checkpoint.inference_copy()
    assert used.ema is None
    assert used.optimizer is None
    assert used.losses == ()
    assert checkpoint.ema is not None
    assert all(torch.equal(used.model[key], tensor) for key, tensor in checkpoint.ema.items())


def test_equal_states_give_equal_bytes_under_any_name_and_memory_layout(checkpoint: Checkpoint, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "a.ckpt", checkpoint)
    save_checkpoint(tmp_path / "another_name.ckpt", load_checkpoint(tmp_path / "a.ckpt"))
    assert (tmp_path / "a.ckpt").read_bytes() == (tmp_path / "another_name.ckpt").read_bytes()
    swapped = {
        key: tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor
        for key, tensor in checkpoint.model.items()
    }
    save_checkpoint(tmp_path / "b.ckpt", Checkpoint(**{**vars(checkpoint), "model": swapped}))
    assert (tmp_path / "a.ckpt").read_bytes() == (tmp_path / "b.ckpt").read_bytes()


def test_the_network_comes_back_with_its_shape(network: DAFlow, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "a.ckpt", from_network(network))
    loaded = load_network(tmp_path / "a.ckpt")
    assert loaded.config == network.config
    assert not loaded.training
    assert all(torch.equal(loaded.state_dict()[key], tensor) for key, tensor in network.state_dict().items())


def test_a_cut_or_changed_file_is_refused(checkpoint: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    save_checkpoint(path, checkpoint)
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:-1], b"", whole[:5000] + b"\0\xff" + whole[5002:]):
        path.write_bytes(damaged)
        with pytest.raises(WeightsError, match=r"a\.ckpt"):
            load_checkpoint(path)


def test_a_missing_file_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="tryon pretrain"):
        load_checkpoint(tmp_path / "a.ckpt", "Run `tryon pretrain` first.")


class Malicious:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.mark),)


def test_code_in_a_file_is_never_run(checkpoint: Checkpoint, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    torch.save({"kind": "fitting-room checkpoint", "model": Malicious(mark)}, tmp_path / "a.ckpt")
    with pytest.raises(WeightsError):
        load_checkpoint(tmp_path / "a.ckpt")
    assert not mark.exists()


def test_other_files_of_tensors_are_not_taken_for_ours(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(2)}, tmp_path / "a.ckpt")
    with pytest.raises(WeightsError, match="checkpoint of this project"):
        load_checkpoint(tmp_path / "a.ckpt")


BROKEN = {
    "version": None, "network": [3], "model": {"weight": 3}, "epoch": "two", "best_epoch": -1, "history": 7,
    "optimizer": [], "scaler": None, "digest": 5, "seed": None, "step": 0.5, "averaged": {"weight": 3},
    "losses": [{"loss": "high"}],
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_an_entry_that_is_absent_or_of_another_kind_is_named(name: str, checkpoint: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    save_checkpoint(path, checkpoint)
    content = torch.load(path, weights_only=True)
    for changed in ({**content, name: BROKEN[name]}, {key: value for key, value in content.items() if key != name}):
        torch.save(changed, path)
        with pytest.raises(WeightsError, match=rf"a\.ckpt: has .*{name}"):
            load_checkpoint(path)


def test_every_field_is_checked() -> None:
    assert set(BROKEN) - {"version"} == {field.name for field in dataclasses.fields(Checkpoint)}


@pytest.mark.parametrize("options", [{"num_flows": "six"}, {"depth": 3}, {"encoder_channels": 4}])
def test_options_of_no_network_are_refused(options: dict, checkpoint: Checkpoint, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "a.ckpt", dataclasses.replace(checkpoint, network=options))
    with pytest.raises(NetworkOptionError, match=next(iter(options))):
        load_network(tmp_path / "a.ckpt")


def test_weights_that_do_not_fit_the_options_are_listed(checkpoint: Checkpoint) -> None:
    model = {key: tensor for key, tensor in checkpoint.model.items() if "lights" not in key}
    with pytest.raises(WeightsError, match="lights_encoder"):
        build_network(Checkpoint(checkpoint.network, model), "a.ckpt")
