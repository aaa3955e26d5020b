"""PSNR: peak signal-to-noise ratio in decibel, of each image, then averaged."""

from __future__ import annotations

import math

from tryon.metrics.image_pair import RegionScores, ImagePair
from tryon.metrics.metric import Metric, PerPairMetric

MAX_DECIBEL = 100.0
"""Value of equal images, whose ratio is infinite, and of those that differ by even less than that: at 512x384 one
8-bit step in fewer than four values of the image."""


@PerPairMetric
def psnr(pair: ImagePair) -> RegionScores:
    """PSNR for a data range of 1 (255 levels), at most `CEILING`; in a region from the squared error of its pixels."""
    return {region: _decibel(mean / 255**2) for region, mean in pair.means(pair.squared).items()}


def _decibel(error: float) -> float:
    return error if math.isnan(error) else -10 * math.log10(max(error, 10 ** (-MAX_DECIBEL / 10)))


METRIC = Metric(
    "psnr", "PSNR", "higher", measure=lambda path, device: psnr, settings="RGB, data range 1, at most 100 dB"
)
