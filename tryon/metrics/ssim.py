"""SSIM: structural similarity (Wang et al. 2004), equal to torchmetrics."""

from __future__ import annotations

from tryon.metrics.image_pair import ImagePair, RegionScores
from tryon.metrics.metric import Metric, PerPairMetric
from tryon.metrics.similarity import K1, K2, REACH, SIGMA, WINDOW


@PerPairMetric
def ssim(pair: ImagePair) -> RegionScores:
    """Compute SSIM, -1 to 1 (equal): the mean of the complete image's similarity map over each region.

    The window crosses the region's edge, so errors up to `REACH` pixels outside count.
    """
    return pair.means(pair.scale(0).similarity)


METRIC = Metric(
    "ssim",
    "SSIM",
    "higher",
    measure=lambda path, device: ssim,
    min_side=REACH + 1,
    settings=f"as torchmetrics, RGB, data range 1, Gaussian window {WINDOW}x{WINDOW}, sigma {SIGMA}, k {K1} and {K2}",
)
