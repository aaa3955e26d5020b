"""Pixels against pixels: the weighted L1 of one scale, and what brings target and weights to that scale."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from tryon.daflow.flow_estimator import FlowEstimator


def l1(result: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean absolute difference, as a weighted mean over pixels where weights are given.

    Args:
        result, target: float (B, 3, h, w).
        weight: float (B, 1, h, w) >= 0, not all 0.

    Returns:
        float scalar.
    """
    if weight is None:
        return functional.l1_loss(result, target)
    return ((result - target).abs().mean(1, keepdim=True) * weight).sum() / weight.sum()


def masked_weights(mask: Tensor, weight: float) -> Tensor | None:
    """Weights (B, 1, H, W) of pixels: `weight` where the mask, bool (B, 1, H, W), hides, 1 elsewhere.

    What is not hidden is copied, and soon right to a few gray levels; L1 pulls as hard on those pixels as on the
    garment's, which are the fewer the smaller a person stands in the image. None when `weight` is 1: all alike.
    """
    return None if weight == 1 else 1 + (weight - 1) * mask.float()


def resize(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize (B, C, H, W) to (height, width), bilinear at pixel centers; a no-op at its own size."""
    if images.shape[-2:] == size:
        return images
    return functional.interpolate(images, size, mode="bilinear", align_corners=False)


def image_gradient(result: Tensor, target: Tensor, region: Tensor) -> Tensor:
    """Mean absolute difference of the steps to the right and downwards, over both directions.

    Half a pattern's contrast costs half of its steps here, however thin its lines are; a wrong color over a whole
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


ESTIMATORS_PER_SCALE = 3
"""Flow estimators of a scale: cross, self and refine."""


@contextmanager
def capture_offsets(network: nn.Module) -> Iterator[list[Tensor]]:
    """Collect the offsets that the network's flow estimators put out, in the order in which they run.

    Yields:
        A list that a forward pass fills, `ESTIMATORS` a scale, coarsest first: (B, 2·heads, h, w) in pixels of that
        scale, on top of the flow that was carried there.
    """
    found: list[Tensor] = []

    def keep(_: nn.Module, __: object, output: Tensor) -> None:
        found.append(output[:, : output.shape[1] // 3 * 2])  # two channels of offsets to one of attention

    watches = [part.register_forward_hook(keep) for part in network.modules() if isinstance(part, FlowEstimator)]
    try:
        yield found
    finally:
        for watch in watches:
            watch.remove()


def flow_smoothness(offsets: Tensor) -> Tensor:
    """Mean absolute second difference of offsets, float (B, C, h, w), over both directions.

    An even flow, a stretch and a turn cost nothing. Sides of less than three pixels have no second difference.
    """
    offsets = offsets.to(torch.promote_types(offsets.dtype, torch.float32))  # mixed precision gives halves
    bends = [_second(offsets, side) for side in (2, 3) if offsets.shape[side] > 2]
    return torch.stack([bend.abs().mean() for bend in bends]).mean() if bends else offsets.sum() * 0


def _second(field: Tensor, side: int) -> Tensor:
    count = field.shape[side] - 2
    before, here, after = (field.narrow(side, start, count) for start in (0, 1, 2))
    return before - 2 * here + after
