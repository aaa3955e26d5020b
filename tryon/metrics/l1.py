"""L1: mean absolute difference over pixels and channels, images scaled to 0..1."""

from __future__ import annotations

from tryon.metrics.image_pair import ImagePair, RegionScores
from tryon.metrics.metric import Metric, PerPairMetric


@PerPairMetric
def l1(pair: ImagePair) -> RegionScores:
    """Compute the mean absolute difference, 0 (equal) to 1, over the pixels of each region."""
    return {region: mean / 255 for region, mean in pair.means(pair.absolute).items()}


METRIC = Metric("l1", "L1", "lower", measure=lambda path, device: l1, settings="RGB, 0..1")
