"""AdamW with the flow estimators in a group of their own."""

from __future__ import annotations

import math

import torch
from torch import nn

from tryon.config.training import OptimizationSettings
from tryon.daflow import DAFlow
from tryon.daflow.flow_estimator import FlowEstimator


def make_optimizer(network: DAFlow, settings: OptimizationSettings) -> torch.optim.AdamW:
    """AdamW over all parameters; those of the flow estimators learn at their own share of the rate."""
    flows = [p for module in network.modules() if isinstance(module, FlowEstimator) for p in module.parameters()]
    known = set(flows)
    others = [parameter for parameter in network.parameters() if parameter not in known]
    groups = [{"params": others, "share": 1.0}, {"params": flows, "share": settings.flow_lr_multiplier}]
    return torch.optim.AdamW(groups, lr=settings.lr, weight_decay=settings.weight_decay)


def freeze_bn_stats(network: nn.Module) -> None:
    """Let all batch norms use their running mean and variance, and leave these as they are; scale and shift learn on.

    Undone by the next `network.train()`.
    """
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()


def learning_rate(step: int, total_steps: int, peak: float, warmup_steps: int) -> float:
    """Rise evenly over `warmup` steps, reaching `peak` with the last of them, then fall along a cosine to zero.

    Args:
        step: number of the step, 0 for the first.
        total: steps in all.
        peak: largest value.
        warmup: steps of the rise; a run shorter than this never gets to `peak`.

    Returns:
        A positive rate for every step of the run.
    """
    if step < warmup_steps:
        return peak * (step + 1) / warmup_steps
    done = (step - warmup_steps) / max(1, total_steps - warmup_steps)
    return peak * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
