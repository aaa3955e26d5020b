"""Initialization for training from scratch."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from tryon.daflow.flow_estimator import FlowEstimator
from tryon.daflow.network import DAFlow

SMALL_FLOW_SCALE = 0.05


def init_small_flows(network: DAFlow, scale: float = SMALL_FLOW_SCALE) -> DAFlow:
    """Scale the last layer of every flow estimator by `scale` and zero its bias, in place.

    The default initialization moves samples by whole pixels; those that leave the frame get no gradient from the
    border, and training stalls. With `grid_normalization="identity"` the network then starts from unwarped images.
    """
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, FlowEstimator):
                last = cast(nn.Conv2d, module.layers[-1])
                last.weight.mul_(scale)
                cast(torch.Tensor, last.bias).zero_()
    return network
