"""The warp that keeps nothing: only its inputs stay for backward, and each head is sampled again there.

For c = 256 channels and k = 6 heads the plain form keeps six sampled maps a warp, five times what the features need.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from tryon.daflow.grids import sample

BILINEAR, BORDER, ALIGN_CORNERS = 0, 1, False
"""How `grid_sampler_2d_backward` spells the arguments of `sample`."""


def recompute(features: Tensor, grid: Tensor, attention: Tensor) -> Tensor:
    """Warp (B, c, h, w) features at a (B·k, 2, H, W) grid, blended by (B, k, H, W) attention, to (B, c, H, W)."""
    return _Recompute.apply(features, grid, attention)


class _Recompute(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, grid: Tensor, attention: Tensor) -> Tensor:
        ctx.save_for_backward(features, grid, attention)
        flows, weights = _by_head(grid, attention)
        blended = sample(features, flows[0]).mul_(weights[0])
        for flow, weight in zip(flows[1:], weights[1:], strict=True):
            blended.addcmul_(sample(features, flow), weight)
        return blended

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grad_outputs: Tensor
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        (slope,) = grad_outputs
        features, grid, attention = ctx.saved_tensors
        for_features, for_grid, for_attention = ctx.needs_input_grad
        features_slope = torch.zeros_like(features) if for_features else None
        grid_slopes, attention_slopes = [], []
        for flow, weight in zip(*_by_head(grid, attention), strict=True):
            if for_attention:
                attention_slopes.append((sample(features, flow) * slope).sum(dim=1))
            if for_features or for_grid:
                head_features, head_flow = torch.ops.aten.grid_sampler_2d_backward(
                    slope * weight,
                    features,
                    flow.permute(0, 2, 3, 1),
                    BILINEAR,
                    BORDER,
                    ALIGN_CORNERS,
                    (for_features, True),
                )
                if features_slope is not None:
                    features_slope += head_features
                grid_slopes.append(head_flow.permute(0, 3, 1, 2))
        return (
            features_slope,
            torch.stack(grid_slopes, dim=1).reshape(grid.shape) if for_grid else None,
            torch.stack(attention_slopes, dim=1) if for_attention else None,
        )


def _by_head(grid: Tensor, attention: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Per head a flow (B, 2, H, W) and its weight (B, 1, H, W)."""
    batch, heads, height, width = attention.shape
    return grid.view(batch, heads, 2, height, width).unbind(dim=1), attention.split(1, dim=1)
