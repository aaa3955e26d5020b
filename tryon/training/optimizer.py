"""Optimizer, learning rate schedule and frozen batch norm statistics."""

from __future__ import annotations

import math

import torch
from torch import nn

from tryon.config.training import OptimizationSettings
from tryon.daflow import DAFlow
from tryon.daflow.flow_estimator import FlowEstimator


def make_optimizer(network: DAFlow, settings: OptimizationSettings) -> torch.optim.AdamW:
    """Create AdamW with a separate parameter group for the flow estimators."""
    flows = [p for module in network.modules() if isinstance(module, FlowEstimator) for p in module.parameters()]
    flow_set = set(flows)
    others = [parameter for parameter in network.parameters() if parameter not in flow_set]
    groups = [{"params": others, "share": 1.0}, {"params": flows, "share": settings.flow_lr_multiplier}]
    return torch.optim.AdamW(groups, lr=settings.lr, weight_decay=settings.weight_decay)


def freeze_bn_stats(network: nn.Module) -> None:
    """Freeze the running statistics of all batch norms until the next `network.train()`; their weights still train."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()


def learning_rate(step: int, total_steps: int, peak: float, warmup_steps: int) -> float:
    """Return the learning rate of a step: linear warmup to `peak`, then cosine decay to zero.

    Args:
        step: 0 for the first.
        total_steps: steps of the run.
        peak: maximum, reached at the last warmup step.
        warmup_steps: steps of the warmup.

    >>> [round(learning_rate(step, 6, peak=0.1, warmup_steps=2), 3) for step in range(6)]
    [0.05, 0.1, 0.1, 0.085, 0.05, 0.015]
    """
    if step < warmup_steps:
        return peak * (step + 1) / warmup_steps
    done = (step - warmup_steps) / max(1, total_steps - warmup_steps)
    return peak * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
