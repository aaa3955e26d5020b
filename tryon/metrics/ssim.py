"""SSIM: structural similarity (Wang et al. 2004), with the numbers of torchmetrics."""

from __future__ import annotations

from tryon.metrics.image_pair import RegionScores, ImagePair
from tryon.metrics.metric import Metric, PerPairMetric
from tryon.metrics.similarity import K1, K2, REACH, SIGMA, WINDOW


@PerPairMetric
def ssim(pair: ImagePair) -> RegionScores:
    """SSIM, -1 to 1 (equal): the mean of the similarity map.

    In a region: the mean over its pixels of the map of the whole image. The window looks over the region's edge, so
    a fault up to `REACH` pixels outside is felt inside.
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
