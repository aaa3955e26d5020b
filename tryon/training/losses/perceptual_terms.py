"""Perceptual loss terms on VGG features of one layer: content, style and LPIPS."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

CONTENT_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
STYLE_LAYERS = ("relu2_2", "relu3_4", "relu4_4", "relu5_2")
LPIPS_LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")

LPIPS_SHIFT, LPIPS_SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""LPIPS normalizes to (image - shift) / scale: ImageNet's mean and deviation, for images in [-1, 1]."""

_EPSILON = 1e-8  # keeps the gradient finite where all features are zero, as in torchmetrics


def content(result: Tensor, target: Tensor) -> Tensor:
    """Compute the mean absolute difference of features, float (B, C, h, w) (Johnson et al., ECCV 2016)."""
    return F.l1_loss(result, target)


def style(result: Tensor, target: Tensor) -> Tensor:
    """Compute the mean absolute difference of the Gram matrices of features, float (B, C, h, w)."""
    return F.l1_loss(gram(result), gram(target))


def gram(features: Tensor) -> Tensor:
    """Compute Gram matrices (B, C, C), divided by C·h·w, of features (B, C, h, w)."""
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / features[0].numel()


def lpips(result: Tensor, target: Tensor, head: Tensor) -> Tensor:
    """Compute LPIPS of one layer (Zhang et al., CVPR 2018, equation 1), the mean over the batch.

    Args:
        result, target: features, float (B, C, h, w).
        head: learned channel weights, float (1, C, 1, 1).
    """
    difference = _normalize(result) - _normalize(target)
    return (difference.square() * head).sum(1).mean()


def _normalize(features: Tensor) -> Tensor:
    return features / (_EPSILON + features.square().sum(1, keepdim=True)).sqrt()
