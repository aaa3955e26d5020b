"""PSNR: peak signal-to-noise ratio in decibels, per image."""

from __future__ import annotations

import math

from tryon.metrics.image_pair import ImagePair, RegionScores
from tryon.metrics.metric import Metric, PerPairMetric

MAX_DECIBEL = 100.0
"""Score of equal images, whose ratio is infinite; at 512x384 one 8-bit step in fewer than four values is as close."""


@PerPairMetric
def psnr(pair: ImagePair) -> RegionScores:
    """Compute PSNR for a data range of 1 (255 levels), at most `MAX_DECIBEL`, from each region's squared error."""
    return {region: _decibel(mean / 255**2) for region, mean in pair.means(pair.squared).items()}


def _decibel(error: float) -> float:
    return error if math.isnan(error) else -10 * math.log10(max(error, 10 ** (-MAX_DECIBEL / 10)))


METRIC = Metric(
    "psnr", "PSNR", "higher", measure=lambda path, device: psnr, settings="RGB, data range 1, at most 100 dB"
)
