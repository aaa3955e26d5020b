"""Memory of training is estimated within 15 % from two steps on small images, and checked."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch.autograd.graph import saved_tensors_hooks

from tryon.config.training import FinetuneSettings, PretrainSettings
from tryon.daflow import DAFlow
from tryon.errors import ParameterError
from tryon.loading.packed_dataset import PackedDataset
from tryon.pretrain.initialization import new_network
from tryon.training import memory_budget
from tryon.training.fabric_setup import make_fabric
from tryon.training.losses import Loss
from tryon.training.memory_budget import MemoryModel, check_memory, estimate_memory, peak_on_cpu, peak_step_memory
from tryon.training.run_config import RunConfig
from tryon.workspace import Workspace

NETWORK = {"num_flows": 3, "encoder_channels": [8, 16, 16], "pyramid_channels": 16, "flow_channels": [8, 8, 8]}


def job(workspace: Workspace, **changes: Any) -> RunConfig:
    rows = PackedDataset.read(workspace.subset("train"))
    content = {"accelerator": "cpu", "loss": {"perceptual": "none"}, "batch_size": 4, **changes}
    return RunConfig("finetune", FinetuneSettings.model_validate(content), 7, "0", "0", rows, rows)


@pytest.fixture
def network() -> DAFlow:
    settings = PretrainSettings.model_validate({"network": {**NETWORK, "image_encoder_channels": [8, 16]}})
    return new_network(settings.network, 1)


def test_peak_counts_live_storages() -> None:
    def work() -> None:
        first = torch.zeros(1000)
        view = first.view(10, 100)
        second = view + 1
        del first, view
        third = second * 2
        third.add_(second)

    assert peak_on_cpu(work) == 2 * 4000


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings", [{}, {"freeze_bn_stats": True, "loss": {"perceptual": "none", "masked_weight": 3.0}}]
)
@pytest.mark.parametrize("images", [(1, 96, 64), (3, 64, 48)])
def test_estimate_is_within_15_percent(
    settings: dict, images: tuple[int, int, int], workspace: Workspace, network: DAFlow
) -> None:
    run = job(workspace, **settings)
    fabric = make_fabric("finetune", run.settings)
    model = estimate_memory(run, network, fabric)
    saved = 0

    def count(tensor: torch.Tensor) -> torch.Tensor:
        nonlocal saved
        saved += tensor.nbytes
        return tensor

    trained = copy.deepcopy(network).train()
    for parameter in trained.parameters():
        parameter.grad = torch.zeros_like(parameter)
    loss = Loss(run.settings.loss)
    measured = peak_step_memory(trained, loss, fabric, images)
    assert model.predict(images) - model.fixed == pytest.approx(measured, rel=0.15)
    with saved_tensors_hooks(count, lambda tensor: tensor):
        trained(torch.zeros(1, 6, *images[1:]), *[torch.zeros(1, 3, *images[1:])] * 2, all_scales=True)
    assert measured > 0.5 * saved * images[0]


def test_weights_count_four_times_and_once_more_with_ema(workspace: Workspace, network: DAFlow) -> None:
    def fixed(**changes: Any) -> int:
        run = job(workspace, **changes)
        return estimate_memory(run, network, make_fabric("finetune", run.settings)).fixed

    weights = 4 * network.parameter_count
    buffers = sum(buffer.nbytes for buffer in network.buffers())
    assert fixed() == 4 * weights + buffers
    assert fixed(ema_decay=0.9) == 5 * weights + 2 * buffers


def test_estimate_changes_nothing(workspace: Workspace, network: DAFlow) -> None:
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    random = torch.get_rng_state()
    run = job(workspace)
    check_memory(run, network, make_fabric("finetune", run.settings))
    assert all(torch.equal(tensor, before[key]) for key, tensor in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert torch.equal(torch.get_rng_state(), random)


@pytest.mark.parametrize(
    ("pairs", "match"),
    [
        (2, r"batch_size to 2 and finetune\.grad_accumulation_steps to 6"),
        (1, r"batch_size to 1 and finetune\.grad_accumulation_steps to 12"),
        (0, "Batch size 1 does not fit"),
    ],
)
def test_suggests_settings_that_fit(
    pairs: int, match: str, workspace: Workspace, network: DAFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = job(workspace, grad_accumulation_steps=3)
    pair_bytes = run.train.size[0] * run.train.size[1] * 100
    monkeypatch.setattr(memory_budget, "estimate_memory", lambda *_: MemoryModel(1000, 10, 100))
    monkeypatch.setattr(memory_budget, "free_memory", lambda _: 1010 + pairs * pair_bytes)
    with pytest.raises(ParameterError, match=match):
        check_memory(run, network, make_fabric("finetune", run.settings))
