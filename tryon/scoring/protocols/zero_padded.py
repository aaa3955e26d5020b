"""Compute SSIM as pytorch-ssim does: zero-padded, where others mirror the image at its border."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from tryon.metrics.image_pair import BatchScores, ImageBatch, check_pair
from tryon.metrics.metric import Metric, PairwiseScorer
from tryon.metrics.regions import IMAGE, WHOLE_IMAGE, Regions
from tryon.metrics.similarity import K1, K2, SIGMA, WINDOW


def load(path: Path | None, device: str) -> PairwiseScorer:
    """Return the scoring function; it needs no weights and scores whole images only."""
    gaussian = torch.exp(-((torch.arange(WINDOW, dtype=torch.float32) - WINDOW // 2) ** 2) / (2 * SIGMA**2))
    window = torch.outer(gaussian, gaussian) / gaussian.sum() ** 2
    kernel = window.expand(3, 1, WINDOW, WINDOW).contiguous().to(device)

    def measure(results: ImageBatch, targets: ImageBatch, regions: Regions = WHOLE_IMAGE) -> BatchScores:
        check_pair(results, targets)
        scores = _ssim(_floats(results, device), _floats(targets, device), kernel)
        return {IMAGE: scores.double().cpu().numpy()}

    return measure


def _ssim(first: torch.Tensor, second: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """Compute SSIM (Wang et al. 2004, eq. 13) of zero-padded images, float (N, 3, H, W) in 0..1: float (N,)."""

    def mean(values: torch.Tensor) -> torch.Tensor:
        return F.conv2d(values, kernel, padding=WINDOW // 2, groups=3)

    mean_1, mean_2 = mean(first), mean(second)
    variance_1, variance_2 = mean(first * first) - mean_1**2, mean(second * second) - mean_2**2
    covariance = mean(first * second) - mean_1 * mean_2
    luminance = (2 * mean_1 * mean_2 + K1**2) / (mean_1**2 + mean_2**2 + K1**2)
    contrast = (2 * covariance + K2**2) / (variance_1 + variance_2 + K2**2)
    return (luminance * contrast).mean((1, 2, 3))


def _floats(images: ImageBatch, device: str) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(images)).to(device).permute(0, 3, 1, 2).float() / 255


METRIC = Metric(
    "ssim",
    "SSIM",
    "higher",
    measure=load,
    settings=f"as pytorch-ssim: RGB, data range 1, Gaussian window {WINDOW}x{WINDOW}, sigma {SIGMA}, k {K1} and {K2}, "
    "black beyond the border",
)
