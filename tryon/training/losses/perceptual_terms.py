"""Content at one layer of VGG19: which features are where (Johnson et al., ECCV 2016)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

CONTENT_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


def content(result: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of features, float (B, C, h, w)."""
    return functional.l1_loss(result, target)


STYLE_LAYERS = ("relu2_2", "relu3_4", "relu4_4", "relu5_2")


def style(result: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of the Gram matrices of features, float (B, C, h, w)."""
    return functional.l1_loss(gram(result), gram(target))


def gram(features: Tensor) -> Tensor:
    """Products of all pairs of channels summed over pixels, divided by C·h·w: (B, C, C)."""
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / features[0].numel()


LPIPS_SHIFT, LPIPS_SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""VGG16 sees (image - SHIFT) / SCALE: ImageNet's mean and deviation, for images in [-1, 1]."""

LPIPS_LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")

_EPSILON = 1e-8  # keeps the gradient finite where no channel answers, as torchmetrics has it


def lpips(result: Tensor, target: Tensor, head: Tensor) -> Tensor:
    """Equation 1 for one layer: squared distance of unit-length features, weighed by channel, mean over pixels.

    Args:
        result, target: features, float (B, C, h, w).
        head: the learned weights of channels, float (1, C, 1, 1).

    Returns:
        float scalar, the mean over the batch.
    """
    apart = _unit(result) - _unit(target)
    return (apart.square() * head).sum(1).mean()


def _unit(features: Tensor) -> Tensor:
    return features / (_EPSILON + features.square().sum(1, keepdim=True)).sqrt()
