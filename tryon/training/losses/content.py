"""Content at one layer of VGG19: which features are where (Johnson et al., ECCV 2016)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


def content(result: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of features, float (B, C, h, w)."""
    return functional.l1_loss(result, target)
