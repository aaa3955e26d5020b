"""Warp back end that stores only its inputs and samples each flow again in backward.

For c = 256 channels and k = 6 flows the reference stores six sampled maps per warp, five times the features' memory.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from tryon.daflow.grids import sample

BILINEAR, BORDER, ALIGN_CORNERS = 0, 1, False
"""Arguments of `sample` as `grid_sampler_2d_backward` encodes them."""


def recompute(features: Tensor, grid: Tensor, attention: Tensor) -> Tensor:
    """Warp (B, c, h, w) features at a (B·k, 2, H, W) grid, blended by (B, k, H, W) attention, to (B, c, H, W)."""
    return _Recompute.apply(features, grid, attention)


class _Recompute(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, grid: Tensor, attention: Tensor) -> Tensor:
        ctx.save_for_backward(features, grid, attention)
        flows, weights = _split_flows(grid, attention)
        blended = sample(features, flows[0]).mul_(weights[0])
        for flow, weight in zip(flows[1:], weights[1:], strict=True):
            blended.addcmul_(sample(features, flow), weight)
        return blended

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grad_outputs: Tensor
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        (grad,) = grad_outputs
        features, grid, attention = ctx.saved_tensors
        features_needed, grid_needed, attention_needed = ctx.needs_input_grad
        features_grad = torch.zeros_like(features) if features_needed else None
        grid_grads, attention_grads = [], []
        for flow, weight in zip(*_split_flows(grid, attention), strict=True):
            if attention_needed:
                attention_grads.append((sample(features, flow) * grad).sum(dim=1))
            if features_needed or grid_needed:
                flow_features_grad, flow_grad = torch.ops.aten.grid_sampler_2d_backward(
                    grad * weight,
                    features,
                    flow.permute(0, 2, 3, 1),
                    BILINEAR,
                    BORDER,
                    ALIGN_CORNERS,
                    (features_needed, True),
                )
                if features_grad is not None:
                    features_grad += flow_features_grad
                grid_grads.append(flow_grad.permute(0, 3, 1, 2))
        return (
            features_grad,
            torch.stack(grid_grads, dim=1).reshape(grid.shape) if grid_needed else None,
            torch.stack(attention_grads, dim=1) if attention_needed else None,
        )


def _split_flows(grid: Tensor, attention: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Split into the k flows (B, 2, H, W) and their weights (B, 1, H, W)."""
    batch, num_flows, height, width = attention.shape
    return grid.view(batch, num_flows, 2, height, width).unbind(dim=1), attention.split(1, dim=1)
