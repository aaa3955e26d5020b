"""Frozen batch norms use the statistics they came with; what they learn is learned on."""

from __future__ import annotations

import torch
from torch import nn

from tryon.training.optimizer import freeze_statistics


def test_statistics_stay_scale_and_shift_learn_and_samples_do_not_see_each_other() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2)).train()
    freeze_statistics(network)
    before = {key: tensor.clone() for key, tensor in network.named_buffers()}
    pictures = torch.randn(3, 1, 4, 4)
    together = network(pictures)
    torch.testing.assert_close(together, torch.cat([network(picture[None]) for picture in pictures]))
    together.sum().backward()
    assert all(torch.equal(tensor, before[key]) for key, tensor in network.named_buffers())
    assert network[1].bias.grad is not None
    network.train()
    network(pictures)
    assert not torch.equal(dict(network.named_buffers())["1.running_mean"], before["1.running_mean"])
