"""SSIM: structural similarity (Wang et al. 2004), computed by torchmetrics."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torchmetrics.functional.image import structural_similarity_index_measure

from tryon.metrics.metric import WHOLE, Metric, Pictures, Regions, Rows, check_pair, mean, region_means

SIGMA, WINDOW = 1.5, 11
"""The usual Gaussian window: standard deviation, and side in pixels."""


def ssim(results: Pictures, targets: Pictures, regions: Regions = WHOLE, device: str = "cpu") -> Rows:
    """SSIM of each picture, -1 to 1 (equal).

    In a region: the mean of the local similarity over its pixels. The window looks over the region's edge, so a
    fault just outside is felt inside.
    """
    check_pair(results, targets)
    return region_means(similarity_map(results, targets, device), regions)


def similarity_map(results: Pictures, targets: Pictures, device: str = "cpu") -> NDArray[np.float32]:
    """Local similarity, float32 (N, H, W), mean of the three channels; the border is mirrored, data range 1."""
    _, local = structural_similarity_index_measure(
        _floats(results, device),
        _floats(targets, device),
        sigma=SIGMA,
        kernel_size=WINDOW,
        data_range=1.0,
        reduction="none",
        return_full_image=True,
    )
    return local.mean(1).cpu().numpy()


def _floats(pictures: Pictures, device: str) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(pictures)).to(device).permute(0, 3, 1, 2).float() / 255


METRIC = Metric(
    "ssim",
    "SSIM",
    "higher",
    load=lambda path, device: partial(ssim, device=device),
    value=mean,
    least_side=WINDOW // 2 + 1,
    settings=f"torchmetrics, RGB, data range 1, Gaussian window {WINDOW}x{WINDOW}, sigma {SIGMA}, k 0.01 and 0.03",
)
