"""Score pairs by all pairwise metrics over all regions in one pass."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tryon.metrics import METRICS
from tryon.metrics.image_pair import ImageBatch, check_pair
from tryon.metrics.metric import PairwiseScorer, PerPairMetric, pairs_of
from tryon.metrics.regions import IMAGE, REGIONS, Regions

Numbers = dict[str, NDArray[np.float64]]
"""Scores by key ("l1", "l1_garment"), one per image; NaN where the region is empty."""


def key_of(metric: str, region: str) -> str:
    """Return the key of a metric over a region; the complete image has no suffix."""
    return metric if region == IMAGE else f"{metric}_{region}"


def pair_keys() -> dict[str, tuple[str, str]]:
    """Return metric and region of every key of the pairwise metrics, region by region."""
    names = [name for name, metric in METRICS.items() if metric.pairwise]
    return {key_of(name, region): (name, region) for region in REGIONS for name in names}


def score_pairs(
    measures: Mapping[str, PairwiseScorer], results: ImageBatch, targets: ImageBatch, regions: Regions
) -> Numbers:
    """Compare each result with its ground truth, over every region.

    Metrics without a network share the maps of a pair, which are freed before the next pair.

    Args:
        measures: loaded pairwise metrics by name.
        results, targets: uint8 (N, H, W, 3).
        regions: bool (N, H, W) by name, see `tryon.metrics.regions.regions_of`.
    """
    check_pair(results, targets)
    local = {name: measure for name, measure in measures.items() if isinstance(measure, PerPairMetric)}
    rows = [
        {name: measure.score_pair(pair) for name, measure in local.items()}
        for pair in pairs_of(results, targets, regions)
    ]
    scores = {
        key_of(name, region): np.array([row[name][region] for row in rows], np.float64)
        for name in local
        for region in regions
    }
    for name, measure in measures.items():
        if name not in local:
            scores |= {key_of(name, region): rows for region, rows in measure(results, targets, regions).items()}
    return scores
