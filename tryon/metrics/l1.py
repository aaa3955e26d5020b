"""L1: mean absolute difference over pixels and channels, pictures scaled to 0..1."""

from __future__ import annotations

import numpy as np

from tryon.metrics.metric import WHOLE, Metric, Pictures, Regions, Rows, check_pair, mean, region_means


def l1(results: Pictures, targets: Pictures, regions: Regions = WHOLE) -> Rows:
    """Mean absolute difference of each picture, 0 (equal) to 1."""
    check_pair(results, targets)
    # Differences are summed as integers, so the number depends on nothing but the pictures.
    absolute = np.abs(results.astype(np.int16) - targets).sum(-1, dtype=np.int32)
    return region_means(absolute / (3 * 255), regions)


METRIC = Metric("l1", "L1", "lower", load=lambda path, device: l1, value=mean, settings="RGB, 0..1")
