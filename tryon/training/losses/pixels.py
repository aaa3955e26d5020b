"""Pixels against pixels: the weighted L1 of one scale, and what brings target and weights to that scale."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


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


def hidden_weights(mask: Tensor, weight: float) -> Tensor | None:
    """Weights (B, 1, H, W) of pixels: `weight` where the mask, bool (B, 1, H, W), hides, 1 elsewhere.

    What is not hidden is copied, and soon right to a few grey levels; L1 pulls as hard on those pixels as on the
    garment's, which are the fewer the smaller a person stands in the picture. None when `weight` is 1: all alike.
    """
    return None if weight == 1 else 1 + (weight - 1) * mask.float()


def resize(pictures: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize (B, C, H, W) to (height, width), bilinear at pixel centres; a no-op at its own size."""
    if pictures.shape[-2:] == size:
        return pictures
    return functional.interpolate(pictures, size, mode="bilinear", align_corners=False)
