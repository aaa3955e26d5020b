"""Style at one layer of VGG19: which features go together, wherever they are (Gatys et al., CVPR 2016)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

LAYERS = ("relu2_2", "relu3_4", "relu4_4", "relu5_2")


def style(result: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of the Gram matrices of features, float (B, C, h, w)."""
    return functional.l1_loss(gram(result), gram(target))


def gram(features: Tensor) -> Tensor:
    """Products of all pairs of channels summed over pixels, divided by C·h·w: (B, C, C)."""
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / features[0].numel()
