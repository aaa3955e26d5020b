"""How a network that starts from nothing begins: with flows near zero."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from tryon.daflow.flow_estimator import FlowEstimator
from tryon.daflow.network import DAFlow

SHARE = 0.05


def init_small_flows(network: DAFlow, share: float = SHARE) -> DAFlow:
    """Scale the last layer of every flow estimator to `share` of its size and clear its bias, in place.

    A fresh last layer moves samples by pixels at once; those that leave the frame get no gradient from the border,
    and training sticks. Together with `grid="identity"` this starts from the images as they lie.

    Args:
        network: freshly built.
        share: of the default initialization.

    Returns:
        The same network.
    """
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, FlowEstimator):
                last = cast(nn.Conv2d, module.layers[-1])
                last.weight.mul_(share)
                cast(torch.Tensor, last.bias).zero_()
    return network
