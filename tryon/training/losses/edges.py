"""Edges inside the garment: steps from pixel to neighbour, of which L1 on colours keeps too few."""

from __future__ import annotations

from torch import Tensor


def edges(result: Tensor, target: Tensor, region: Tensor) -> Tensor:
    """Mean absolute difference of the steps to the right and downwards, over both directions.

    Half a pattern's contrast costs half of its steps here, however thin its lines are; a wrong colour over a whole
    area costs nothing. Taken at every scale this is an L1 on a pyramid of edges.

    Args:
        result, target: float (B, 3, h, w).
        region: float (B, 1, h, w) in 0..1, how much each pixel belongs to the garment; a step counts as the lesser of
            its two pixels.

    Returns:
        float scalar, 0 where the region is empty.
    """
    wrong = result - target
    across = _mean(wrong[..., 1:] - wrong[..., :-1], region[..., 1:].minimum(region[..., :-1]))
    down = _mean(wrong[..., 1:, :] - wrong[..., :-1, :], region[..., 1:, :].minimum(region[..., :-1, :]))
    return (across + down) / 2


def _mean(steps: Tensor, weight: Tensor) -> Tensor:
    return (steps.abs().mean(1, keepdim=True) * weight).sum() / weight.sum().clamp_min(1)
