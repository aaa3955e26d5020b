"""Warp back end that follows the paper: sample, multiply by attention, sum over flows."""

from __future__ import annotations

from torch import Tensor

from tryon.daflow.grids import sample


def reference(features: Tensor, grid: Tensor, attention: Tensor) -> Tensor:
    """Warp (B, c, h, w) features at a (B·k, 2, H, W) grid, blended by (B, k, H, W) attention, to (B, c, H, W)."""
    batch, num_flows, height, width = attention.shape
    flows = grid.view(batch, num_flows, 2, height, width).unbind(dim=1)
    weights = attention.split(1, dim=1)
    blended = weights[0] * sample(features, flows[0])
    for weight, flow in zip(weights[1:], flows[1:], strict=True):
        blended = blended + weight * sample(features, flow)
    return blended
