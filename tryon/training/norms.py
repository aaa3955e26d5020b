"""Batch norms that train with the statistics they came with."""

from __future__ import annotations

from torch import nn


def freeze_statistics(network: nn.Module) -> None:
    """Let all batch norms use their running mean and variance, and leave these as they are; scale and shift learn on.

    Undone by the next `network.train()`.
    """
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
