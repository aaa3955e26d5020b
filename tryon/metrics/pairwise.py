"""Pairs by every pairwise metric over every region in one pass, and the keys that its numbers have in all outputs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tryon.metrics import METRICS
from tryon.metrics.image_pair import ImageBatch, check_pair
from tryon.metrics.metric import Measure, PerPairMetric, pairs_of
from tryon.metrics.regions import IMAGE, REGIONS, Regions

Numbers = dict[str, NDArray[np.float64]]
"""Metric key ("l1", "l1_garment") to one number per image; NaN where its region is empty."""


def key_of(metric: str, region: str) -> str:
    """Key of a metric over a region; the whole image needs no word."""
    return metric if region == IMAGE else f"{metric}_{region}"


def pair_keys() -> dict[str, tuple[str, str]]:
    """Every key of a pairwise metric with the metric and the region it belongs to, region by region."""
    names = [name for name, metric in METRICS.items() if metric.pairwise]
    return {key_of(name, region): (name, region) for region in REGIONS for name in names}


def score_pairs(measures: Mapping[str, Measure], results: ImageBatch, targets: ImageBatch, regions: Regions) -> Numbers:
    """Compare each result with its own true image, over every region.

    Metrics that need no network share the maps of a pair, which are gone before the next pair begins.

    Args:
        measures: opened pairwise metrics, by name.
        results, targets: uint8 (N, H, W, 3).
        regions: bool (N, H, W) by name, see `tryon.metrics.regions.regions_of`.
    """
    check_pair(results, targets)
    local = {name: measure for name, measure in measures.items() if isinstance(measure, PerPairMetric)}
    rows = [
        {name: measure.score_pair(pair) for name, measure in local.items()} for pair in pairs_of(results, targets, regions)
    ]
    numbers = {
        key_of(name, region): np.array([row[name][region] for row in rows], np.float64)
        for name in local
        for region in regions
    }
    for name, measure in measures.items():
        if name not in local:
            numbers |= {key_of(name, region): own for region, own in measure(results, targets, regions).items()}
    return numbers
