"""LPIPS (Zhang et al., CVPR 2018, arXiv 1801.03924) at one layer of VGG16."""

from __future__ import annotations

from torch import Tensor

SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""VGG16 sees (picture - SHIFT) / SCALE: ImageNet's mean and deviation, for pictures in [-1, 1]."""

LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")

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
