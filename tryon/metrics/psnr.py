"""PSNR: peak signal-to-noise ratio in decibel, of each picture, then averaged."""

from __future__ import annotations

import numpy as np

from tryon.metrics.metric import WHOLE, Metric, Pictures, Regions, Rows, check_pair, mean, region_means

CEILING = 100.0
"""Value of equal pictures, whose ratio is infinite, and of those that differ by even less than that: at 512x384 one
8-bit step in fewer than four values of the picture."""


def psnr(results: Pictures, targets: Pictures, regions: Regions = WHOLE) -> Rows:
    """PSNR of each picture for a data range of 1 (255 levels), at most `CEILING`."""
    check_pair(results, targets)
    squared = ((results.astype(np.int32) - targets) ** 2).sum(-1)
    errors = region_means(squared / (3 * 255**2), regions)
    floor = 10 ** (-CEILING / 10)
    return {name: -10 * np.log10(np.maximum(error, floor)) for name, error in errors.items()}


METRIC = Metric(
    "psnr", "PSNR", "higher", load=lambda path, device: psnr, value=mean, settings="RGB, data range 1, at most 100 dB"
)
