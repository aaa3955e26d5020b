"""Frozen batch norms use the statistics they came with; what they learn is learned on."""

from __future__ import annotations

import torch
from torch import nn

from tryon.training.optimizer import freeze_bn_stats


def test_statistics_stay_scale_and_shift_learn_and_samples_do_not_see_each_other() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2)).train()
    freeze_bn_stats(network)
    before = {key: tensor.clone() for key, tensor in network.named_buffers()}
    images = torch.randn(3, 1, 4, 4)
    together = network(images)
    torch.testing.assert_close(together, torch.cat([network(image[None]) for image in images]))
    together.sum().backward()
    assert all(torch.equal(tensor, before[key]) for key, tensor in network.named_buffers())
    assert network[1].bias.grad is not None
    network.train()
    network(images)
    assert not torch.equal(dict(network.named_buffers())["1.running_mean"], before["1.running_mean"])
