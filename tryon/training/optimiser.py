"""AdamW with the flow estimators in a group of their own."""

from __future__ import annotations

import torch

from tryon.daflow import DAFlow
from tryon.daflow.flow_estimator import FlowEstimator
from tryon.training.settings import OptimisationSettings


def make_optimiser(network: DAFlow, settings: OptimisationSettings) -> torch.optim.AdamW:
    """AdamW over all parameters; those of the flow estimators learn at their own share of the rate."""
    flows = [p for module in network.modules() if isinstance(module, FlowEstimator) for p in module.parameters()]
    known = set(flows)
    others = [parameter for parameter in network.parameters() if parameter not in known]
    groups = [{"params": others, "share": 1.0}, {"params": flows, "share": settings.flow_lr_share}]
    return torch.optim.AdamW(groups, lr=settings.lr, weight_decay=settings.weight_decay)
