"""Metrics computed the usual way: one torchmetrics call per metric and region, the baseline of `metrics.py`.

Maps or images are computed again for each region, as in published codebases. Scores equal those of `tryon.metrics`, so
that times are of equal work.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F
from torchmetrics.functional.image import (
    multiscale_structural_similarity_index_measure,
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)
from torchmetrics.functional.image.ssim import _ssim_update

from tryon.metrics.ms_ssim import EXPONENTS
from tryon.metrics.psnr import MAX_DECIBEL


def ssim(result: Tensor, target: Tensor, region: Tensor | None) -> float:
    """Compute SSIM of images (1, 3, H, W) in 0..1, or the mean of its map over a region, bool (H, W)."""
    if region is None:
        value = structural_similarity_index_measure(result, target, data_range=1.0)
        assert isinstance(value, Tensor)
        return float(value)
    _, local = structural_similarity_index_measure(result, target, data_range=1.0, return_full_image=True)
    return float(local[0].mean(0)[region].mean())


def psnr(result: Tensor, target: Tensor, region: Tensor | None) -> float:
    """Compute the metric of all pixels, or of a region."""
    if region is not None:
        result, target = result[:, :, region], target[:, :, region]
    return min(float(peak_signal_noise_ratio(result, target, data_range=1.0)), MAX_DECIBEL)


def l1(result: Tensor, target: Tensor, region: Tensor | None) -> float:
    """Compute the metric of all pixels, or of a region."""
    if region is not None:
        result, target = result[:, :, region], target[:, :, region]
    return float(F.l1_loss(result, target))


def ms_ssim(result: Tensor, target: Tensor, region: Tensor | None) -> float:
    """Compute the product of means over five scales, the region downsampled with the images."""
    if region is None:
        return float(multiscale_structural_similarity_index_measure(result, target, data_range=1.0))
    weights, product = region[None, None].to(result.dtype), 1.0
    for number, exponent in enumerate(EXPONENTS):
        similarity, contrast = _scale(result, target)
        last = number == len(EXPONENTS) - 1
        inner = slice(None) if last else slice(5, -5)
        local, weight = (similarity if last else contrast)[inner, inner], weights[0, 0, inner, inner]
        product *= max(float((local * weight).sum() / weight.sum()), 0.0) ** exponent
        result, target, weights = (F.avg_pool2d(maps, 2) for maps in (result, target, weights))
    return product


def _scale(result: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Compute similarity and contrast, (H, W): torchmetrics' map, and the map divided by the luminance term."""
    _, similarity = _ssim_update(result, target, data_range=1.0, return_full_image=True)
    kernel = torch.exp(-((torch.arange(11, dtype=result.dtype) - 5) ** 2) / 4.5)
    window = (kernel[:, None] * kernel / kernel.sum() ** 2).expand(3, 1, 11, 11)
    a, b = (F.conv2d(F.pad(each, (5, 5, 5, 5), "reflect"), window, groups=3) for each in (result, target))
    luminance = (2 * a * b + 1e-4) / (a * a + b * b + 1e-4)
    return similarity[0].mean(0), (similarity / luminance)[0].mean(0)


METRICS = {"ssim": ssim, "ms_ssim": ms_ssim, "psnr": psnr, "l1": l1}
"""Metrics that need no weights."""


def full_maps(result: Tensor, target: Tensor) -> None:
    """Run torchmetrics on complete images: similarity map, five scales, squared and absolute errors."""
    structural_similarity_index_measure(result, target, data_range=1.0, return_full_image=True)
    multiscale_structural_similarity_index_measure(result, target, data_range=1.0)
    peak_signal_noise_ratio(result, target, data_range=1.0)
    F.l1_loss(result, target)
