"""Loss terms on pixels and flows: weighted L1, image gradients and flow smoothness."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tryon.daflow.flow_estimator import FlowEstimator

ESTIMATORS_PER_SCALE = 3
"""Flow estimators of a scale: cross, self and refine."""


def l1(result: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Compute the mean absolute difference, optionally weighted by pixel.

    Args:
        result, target: float (B, 3, h, w).
        weight: float (B, 1, h, w) >= 0, not all 0.
    """
    if weight is None:
        return F.l1_loss(result, target)
    return ((result - target).abs().mean(1, keepdim=True) * weight).sum() / weight.sum()


def masked_weights(mask: Tensor, weight: float) -> Tensor | None:
    """Return pixel weights (B, 1, H, W): `weight` inside the mask, bool (B, 1, H, W), else 1; None if `weight` is 1.

    Unmasked pixels are copied, and soon right to a few gray levels, but L1's gradient on them is as large as on the
    garment, which may cover few pixels.
    """
    return None if weight == 1 else 1 + (weight - 1) * mask.float()


def resize(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize (B, C, H, W) to (height, width), bilinear at pixel centers."""
    if images.shape[-2:] == size:
        return images
    return F.interpolate(images, size, mode="bilinear", align_corners=False)


def image_gradient(result: Tensor, target: Tensor, region: Tensor) -> Tensor:
    """Compute the mean absolute difference of horizontal and vertical image gradients in a region.

    Unlike L1 it does not depend on the width of a pattern's lines, and ignores a constant color error. Taken at every
    scale it is an L1 on a pyramid of edges.

    Args:
        result, target: float (B, 3, h, w).
        region: weights float (B, 1, h, w) in 0..1; a gradient has the smaller weight of its two pixels.

    Returns:
        float scalar, 0 for an empty region.
    """
    error = result - target
    horizontal = _weighted_mean(error[..., 1:] - error[..., :-1], region[..., 1:].minimum(region[..., :-1]))
    vertical = _weighted_mean(error[..., 1:, :] - error[..., :-1, :], region[..., 1:, :].minimum(region[..., :-1, :]))
    return (horizontal + vertical) / 2


def _weighted_mean(gradient: Tensor, weight: Tensor) -> Tensor:
    return (gradient.abs().mean(1, keepdim=True) * weight).sum() / weight.sum().clamp_min(1)


@contextmanager
def capture_offsets(network: nn.Module) -> Iterator[list[Tensor]]:
    """Capture the output offsets of the network's flow estimators in order of execution.

    Yields:
        A list that a forward pass fills, `ESTIMATORS_PER_SCALE` per scale, coarsest first: (B, 2k, h, w) in pixels of
        that scale, relative to the previous flow.
    """
    offsets: list[Tensor] = []

    def capture(_: nn.Module, __: object, output: Tensor) -> None:
        offsets.append(output[:, : output.shape[1] // 3 * 2])  # two offset channels for each attention channel

    hooks = [part.register_forward_hook(capture) for part in network.modules() if isinstance(part, FlowEstimator)]
    try:
        yield offsets
    finally:
        for hook in hooks:
            hook.remove()


def flow_smoothness(offsets: Tensor) -> Tensor:
    """Compute the mean absolute second difference of offsets, float (B, C, h, w), over both directions.

    It is zero for affine flows, and ignores sides of fewer than three pixels.
    """
    offsets = offsets.to(torch.promote_types(offsets.dtype, torch.float32))  # half under mixed precision
    differences = [_second_difference(offsets, dim) for dim in (2, 3) if offsets.shape[dim] > 2]
    return torch.stack([values.abs().mean() for values in differences]).mean() if differences else offsets.sum() * 0


def _second_difference(field: Tensor, dim: int) -> Tensor:
    count = field.shape[dim] - 2
    previous, current, following = (field.narrow(dim, start, count) for start in (0, 1, 2))
    return previous - 2 * current + following
