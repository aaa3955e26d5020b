"""Every optimization setting affects the weights, and checkpoints restore the complete state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins import MixedPrecision
from torch import Tensor

from tryon.config.training import FinetuneSettings, PretrainSettings
from tryon.loading.packed_dataset import PackedDataset
from tryon.pretrain.initialization import new_network
from tryon.runtime.progress import no_progress
from tryon.training import fabric_setup, loop
from tryon.training.optimizer import make_optimizer
from tryon.training.run_checkpoints import CheckpointManager
from tryon.training.run_config import RunConfig
from tryon.workspace import Workspace

BASE = {
    "epochs": 1,
    "batch_size": 2,
    "lr": 1e-2,
    "flow_lr_multiplier": 0.5,
    "weight_decay": 0.01,
    "warmup_steps": 2,
    "max_grad_norm": 10.0,
    "flip_prob": 0.5,
    "accelerator": "cpu",
    "loss": {"perceptual": "none"},
}
"""An epoch of four steps."""

CHANGED = {
    "lr": 2e-2, "flow_lr_multiplier": 0.25, "weight_decay": 0.5, "warmup_steps": 1, "max_grad_norm": 1e-3,
    "flip_prob": 0.0, "grad_accumulation_steps": 2, "augment": {"color_jitter_prob": 1.0},
}  # fmt: skip

Train = Callable[..., dict[str, Tensor]]


@pytest.fixture
def trained(workspace: Workspace, pretrain_settings: PretrainSettings, monkeypatch: pytest.MonkeyPatch) -> Train:
    """Train from the same start with changed settings, without validation; returns the final weights."""
    rows = {part: PackedDataset.read(workspace.subset(part)) for part in ("train", "val")}
    monkeypatch.setattr(loop, "validate", lambda *args: {"val_l1": None})
    monkeypatch.setattr(loop, "write_grids", lambda *args: None)

    def train(run_id: str = "", **changes: Any) -> dict[str, Tensor]:
        settings = FinetuneSettings.model_validate({**BASE, **changes})
        job = RunConfig("finetune", settings, 7, "0", "0", rows["train"], rows["val"])
        checkpoints = CheckpointManager(workspace.work_dir("test"), run_id or str(changes))
        return loop.train(job, new_network(pretrain_settings.network, 1), checkpoints, no_progress).model

    return train


@pytest.mark.slow
def test_each_setting_changes_the_trained_weights(trained: Train) -> None:
    base = trained()
    without_effect = []
    for name, value in CHANGED.items():
        weights = trained(**{name: value})
        if all(torch.equal(weights[key], tensor) for key, tensor in base.items()):
            without_effect.append(name)
    assert not without_effect


def test_both_groups_follow_the_schedule(trained: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[list[float]] = []
    make = loop.make_optimizer

    def recorded(*args: Any) -> torch.optim.AdamW:
        optimizer = make(*args)
        optimizer.register_step_pre_hook(
            lambda hooked, *_: rates.append([group["lr"] for group in hooked.param_groups])
        )
        return optimizer

    monkeypatch.setattr(loop, "make_optimizer", recorded)
    trained()
    assert len(rates) == 4
    assert rates[0] == pytest.approx([5e-3, 2.5e-3])  # first of two warmup steps
    assert rates[1] == rates[2] == pytest.approx([1e-2, 5e-3])  # peak, and start of the cosine
    assert rates[3] == pytest.approx([5e-3, 2.5e-3])  # middle of the cosine


def test_every_parameter_is_in_one_group(pretrain_settings: PretrainSettings) -> None:
    network = new_network(pretrain_settings.network, 1)
    groups = make_optimizer(network, FinetuneSettings.model_validate(BASE)).param_groups
    assert [group["weight_decay"] for group in groups] == [0.01, 0.01]
    grouped = [parameter for group in groups for parameter in group["params"]]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == set(network.parameters())


def test_gradient_scaler_state_is_restored(
    trained: Train, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settings allow `16-mixed` on a GPU only, but the scaler also runs on the CPU."""
    monkeypatch.setattr(
        fabric_setup,
        "make_fabric",
        lambda *args: Fabric(accelerator="cpu", devices=1, plugins=MixedPrecision("16-mixed", "cpu")),
    )

    def scaler_after(epochs: int) -> dict[str, float]:
        trained("run", epochs=epochs, precision="16-mixed")
        state = CheckpointManager(workspace.work_dir("test"), "run").latest()
        assert state is not None
        return state.scaler

    first, second = scaler_after(1), scaler_after(2)
    assert first["scale"] < 65536  # gradients overflowed at the initial scale
    assert second["scale"] == first["scale"]
    assert second["_growth_tracker"] == first["_growth_tracker"] + 4
