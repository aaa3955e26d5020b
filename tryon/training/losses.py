"""What training minimises. Each loss is a function."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional


def multiscale_l1(results: Sequence[Tensor], target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean absolute difference at every scale, the finer the heavier: sum over n of (n + 1) * L1 at scale n.

    The target is brought to each scale as the network brings its own inputs there: bilinear, no antialiasing
    (DAFlow, ECCV 2022, section 3.4 and the published training code, which weighs all pixels alike).

    Args:
        results: float (B, 3, h, w), coarsest first.
        target: float (B, 3, H, W), the true picture.
        weight: float (B, 1, H, W) > 0, how much each pixel counts in its mean; all alike by default.

    Returns:
        float scalar, 0 when every result equals its target.
    """
    terms = []
    for scale, result in enumerate(results):
        size = (result.shape[-2], result.shape[-1])
        terms.append((scale + 1) * _l1(result, resize(target, size), None if weight is None else resize(weight, size)))
    return torch.stack(terms).sum()


def _l1(result: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    if weight is None:
        return functional.l1_loss(result, target)
    return ((result - target).abs().mean(1, keepdim=True) * weight).sum() / weight.sum()


def hidden_weights(mask: Tensor, weight: float) -> Tensor | None:
    """Weights (B, 1, H, W) for `multiscale_l1`: `weight` where the mask, bool (B, 1, H, W), hides, 1 elsewhere.

    What is not hidden is copied, and soon right to a few grey levels; L1 pulls as hard on those pixels as on the
    garment's, which are the fewer the smaller a person stands in the picture. None when `weight` is 1: all alike.
    """
    return None if weight == 1 else 1 + (weight - 1) * mask.float()


def resize(pictures: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize (B, C, H, W) to (height, width), bilinear at pixel centres; a no-op at its own size."""
    if pictures.shape[-2:] == size:
        return pictures
    return functional.interpolate(pictures, size, mode="bilinear", align_corners=False)
