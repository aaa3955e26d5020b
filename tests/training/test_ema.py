"""The exponential moving average follows the network, and is applied without changing it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tryon.training.ema import ExponentialMovingAverage


def network_of(value: float) -> nn.Module:
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    for tensor in network.state_dict().values():
        tensor.fill_(value)
    return network


def test_decay_warms_up() -> None:
    network = network_of(0.0)
    average = ExponentialMovingAverage(network, 0.5)
    network.load_state_dict(network_of(1.0).state_dict())
    average.update(network, 0)
    assert average.tensors["0.weight"].unique().item() == pytest.approx(0.9)  # decay 0.1 at step 0
    average.update(network, 100)
    assert average.tensors["0.weight"].unique().item() == pytest.approx(0.95)
    assert average.tensors["1.running_var"].unique().item() == pytest.approx(0.95)
    assert average.tensors["1.num_batches_tracked"].item() == 1


def test_applied_to_restores_the_weights() -> None:
    network = network_of(1 / 3)
    average = ExponentialMovingAverage(network, 0.9)
    network.load_state_dict(network_of(2 / 3).state_dict())
    weights = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    with average.applied_to(network):
        assert all(torch.equal(tensor, average.tensors[key]) for key, tensor in network.state_dict().items())
    assert all(torch.equal(tensor, weights[key]) for key, tensor in network.state_dict().items())
