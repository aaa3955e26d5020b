"""The interface of a metric of pairs or sets of 8-bit images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from tryon.metrics.image_pair import BatchScores, ImageBatch, ImagePair, RegionScores, check_pair
from tryon.metrics.regions import WHOLE_IMAGE, Regions

if TYPE_CHECKING:
    from tryon.metrics.inception import FeatureExtractor
    from tryon.metrics.reference import Reference

PairwiseScorer = Callable[[ImageBatch, ImageBatch, Regions], BatchScores]
"""Maps results, ground truth and regions to one score per pair and region."""

Features = NDArray[np.float32]
"""Features of a set of images, float32 (N, D)."""


@dataclass(frozen=True)
class PerPairMetric:
    """A `Measure` of one pair at a time; several of them share the maps of a pair.

    Args:
        score_pair: computes the metric of one pair by region; NaN where a region is empty.
    """

    score_pair: Callable[[ImagePair], RegionScores]

    def __call__(self, results: ImageBatch, targets: ImageBatch, regions: Regions = WHOLE_IMAGE) -> BatchScores:
        """Compute the metric of each pair, float64 (N,) for each region."""
        check_pair(results, targets)
        rows = [self.score_pair(pair) for pair in pairs_of(results, targets, regions)]
        return {name: np.array([row[name] for row in rows], np.float64) for name in regions}


def pairs_of(results: ImageBatch, targets: ImageBatch, regions: Regions) -> Iterator[ImagePair]:
    """Yield the pairs of a batch one at a time: the maps of a pair take 30 MB at 512x384."""
    for row, (result, target) in enumerate(zip(results, targets, strict=True)):
        yield ImagePair(
            result, target, {name: None if masks is None else masks[row] for name, masks in regions.items()}
        )


@dataclass(frozen=True)
class Metric:
    """A metric: either `measure` compares pairs, or `extract` and `distance` compare sets.

    Args:
        name: key in all outputs.
        title: display name.
        better: direction of improvement.
        measure: loads the pairwise function, from the path of its weights (None if it needs none) and a device.
        extract: loads the feature extractor, likewise.
        distance: computes scores from the results' features and the reference; the first is named `name`.
        extra_outputs: names of the other scores of `distance`.
        weights: name of its file in `tryon.pretrained_weights.WEIGHTS`.
        recommended_samples: number of images below which the output carries `small_sample_warning`.
        small_sample_warning: effect of too few images.
        min_side: smallest side of an image in pixels.
        settings: everything else that determines the score, for the protocol.
    """

    name: str
    title: str
    better: Literal["higher", "lower"]
    measure: Callable[[Path | None, str], PairwiseScorer] | None = None
    extract: Callable[[Path | None, str], FeatureExtractor] | None = None
    distance: Callable[[Features, Reference], dict[str, float]] | None = None
    extra_outputs: tuple[str, ...] = ()
    weights: str | None = None
    recommended_samples: int = 1
    small_sample_warning: str = ""
    min_side: int = 1
    settings: str = ""

    @property
    def pairwise(self) -> bool:
        """Whether the metric compares each image with its ground truth."""
        return self.measure is not None

    @property
    def min_samples(self) -> int:
        """Minimum number of images: two for sets, which need a variance."""
        return 1 if self.pairwise else 2


def mean(rows: NDArray[np.floating]) -> float:
    """Compute the mean over images, ignoring NaN (empty regions); NaN when none is left."""
    valid = rows[~np.isnan(rows)]
    return float(valid.mean()) if len(valid) else float("nan")
