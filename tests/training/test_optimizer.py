"""Optimizer helpers: frozen batch norm statistics and the learning rate schedule."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tryon.training.optimizer import freeze_bn_stats, learning_rate


def test_frozen_batch_norm_keeps_statistics_and_trains_weights() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2)).train()
    freeze_bn_stats(network)
    before = {key: tensor.clone() for key, tensor in network.named_buffers()}
    images = torch.randn(3, 1, 4, 4)
    batch = network(images)
    torch.testing.assert_close(batch, torch.cat([network(image[None]) for image in images]))
    batch.sum().backward()
    assert all(torch.equal(tensor, before[key]) for key, tensor in network.named_buffers())
    assert network[1].bias.grad is not None
    network.train()
    network(images)
    assert not torch.equal(dict(network.named_buffers())["1.running_mean"], before["1.running_mean"])


def test_learning_rate_warms_up_and_decays() -> None:
    rates = [learning_rate(step, 100, 2.0, 20) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[19] == pytest.approx(2.0)
    assert rates[20] == pytest.approx(2.0)
    assert rates[60] == pytest.approx(1.0)
    assert 0 < rates[99] < 0.002
    assert rates[20:] == sorted(rates[20:], reverse=True)


@pytest.mark.parametrize(("total", "warmup"), [(1, 0), (1, 20), (5, 5), (10, 20)])
def test_short_runs_have_positive_learning_rates(total: int, warmup: int) -> None:
    rates = [learning_rate(step, total, 1.0, warmup) for step in range(total)]
    assert all(0 < rate <= 1 for rate in rates)
