"""What training minimises. Each loss is a function."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional


def multiscale_l1(results: Sequence[Tensor], target: Tensor) -> Tensor:
    """Mean absolute difference at every scale, the finer the heavier: sum over n of (n + 1) * L1 at scale n.

    The target is brought to each scale as the network brings its own inputs there: bilinear, no antialiasing
    (DAFlow, ECCV 2022, section 3.4 and the published training code).

    Args:
        results: float (B, 3, h, w), coarsest first.
        target: float (B, 3, H, W), the true picture.

    Returns:
        float scalar, 0 when every result equals its target.
    """
    terms = [
        (scale + 1) * functional.l1_loss(result, resize(target, (result.shape[-2], result.shape[-1])))
        for scale, result in enumerate(results)
    ]
    return torch.stack(terms).sum()


def resize(pictures: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize (B, C, H, W) to (height, width), bilinear at pixel centres; a no-op at its own size."""
    if pictures.shape[-2:] == size:
        return pictures
    return functional.interpolate(pictures, size, mode="bilinear", align_corners=False)
