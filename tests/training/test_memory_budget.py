"""What training will take is told within 15 % from two steps on small images, and refused where there is less."""

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
from tryon.training import memory_budget as memory
from tryon.training.fabric import make_fabric
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


def test_the_peak_counts_what_lives_at_once() -> None:
    def work() -> None:
        first = torch.zeros(1000)
        view = first.view(10, 100)
        second = view + 1
        del first, view
        third = second * 2
        third.add_(second)

    assert peak_on_cpu(work) == 2 * 4000


@pytest.mark.parametrize(
    "settings", [{}, {"freeze_bn_stats": True, "loss": {"perceptual": "none", "masked_weight": 3.0}}]
)
@pytest.mark.parametrize("images", [(1, 96, 64), (3, 64, 48)])
def test_it_is_within_15_percent_of_what_a_step_takes(
    settings: dict, images: tuple[int, int, int], workspace: Workspace, network: DAFlow
) -> None:
    own = job(workspace, **settings)
    fabric = make_fabric("finetune", own.settings)
    needs = estimate_memory(own, network, fabric)
    kept = 0

    def count(tensor: torch.Tensor) -> torch.Tensor:
        nonlocal kept
        kept += tensor.nbytes
        return tensor

    trained = copy.deepcopy(network).train()
    for parameter in trained.parameters():
        parameter.grad = torch.zeros_like(parameter)
    loss = Loss(own.settings.loss)
    measured = peak_step_memory(trained, loss, fabric, images)
    assert needs.predict(images) - needs.fixed == pytest.approx(measured, rel=0.15)
    with saved_tensors_hooks(count, lambda tensor: tensor):
        trained(torch.zeros(1, 6, *images[1:]), *[torch.zeros(1, 3, *images[1:])] * 2, all_scales=True)
    assert measured > 0.5 * kept * images[0]


def test_weights_count_four_times_and_more_with_an_average(workspace: Workspace, network: DAFlow) -> None:
    def fixed(**changes: Any) -> int:
        own = job(workspace, **changes)
        return estimate_memory(own, network, make_fabric("finetune", own.settings)).fixed

    weights = 4 * network.parameter_count
    buffers = sum(buffer.nbytes for buffer in network.buffers())
    assert fixed() == 4 * weights + buffers
    assert fixed(ema_decay=0.9) == 5 * weights + 2 * buffers


def test_nothing_is_changed_by_it(workspace: Workspace, network: DAFlow) -> None:
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    random = torch.get_rng_state()
    own = job(workspace)
    check_memory(own, network, make_fabric("finetune", own.settings))
    assert all(torch.equal(tensor, before[key]) for key, tensor in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert torch.equal(torch.get_rng_state(), random)


@pytest.mark.parametrize(
    ("room", "match"),
    [
        (2, "batch_size to 2 and accumulate to 6"),
        (1, "batch_size to 1 and accumulate to 12"),
        (0, "Not even single pairs"),
    ],
)
def test_too_little_memory_is_refused_with_what_fits(
    room: int, match: str, workspace: Workspace, network: DAFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = job(workspace, grad_accumulation_steps=3)
    pair = own.train.size[0] * own.train.size[1] * 100
    monkeypatch.setattr(memory, "estimate_memory", lambda *_: MemoryModel(1000, 10, 100))
    monkeypatch.setattr(memory, "free_memory", lambda _: 1010 + room * pair)
    with pytest.raises(ParameterError, match=match):
        check_memory(own, network, make_fabric("finetune", own.settings))
