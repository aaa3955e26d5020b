"""What a metric is here: how it measures pairs or sets of 8-bit images, and how its numbers become one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from tryon.metrics.image_pair import RegionScores, ImageBatch, ImagePair, Rows, check_pair
from tryon.metrics.regions import WHOLE_IMAGE, Regions

if TYPE_CHECKING:
    from tryon.metrics.inception import FeatureExtractor
    from tryon.metrics.reference import Reference

Measure = Callable[[ImageBatch, ImageBatch, Regions], Rows]
"""Results, their true images, regions → one number per pair and region."""

Features = NDArray[np.float32]
"""What a network sees in a set of images, one row each: float32 (N, D)."""


@dataclass(frozen=True)
class PerPairMetric:
    """A `Measure` that takes one pair at a time; several of them share the maps of a pair.

    Args:
        of_pair: the metric of one pair, region by region; NaN where a region is empty.
    """

    score_pair: Callable[[ImagePair], RegionScores]

    def __call__(self, results: ImageBatch, targets: ImageBatch, regions: Regions = WHOLE_IMAGE) -> Rows:
        """The metric of each pair, float64 (N,) for each region."""
        check_pair(results, targets)
        rows = [self.score_pair(pair) for pair in pairs_of(results, targets, regions)]
        return {name: np.array([row[name] for row in rows], np.float64) for name in regions}


def pairs_of(results: ImageBatch, targets: ImageBatch, regions: Regions) -> Iterator[ImagePair]:
    """The pairs of a batch, each with its own part of the regions, one at a time: its maps are 30 MB at 512x384."""
    for row, (result, target) in enumerate(zip(results, targets, strict=True)):
        yield ImagePair(result, target, {name: None if own is None else own[row] for name, own in regions.items()})


@dataclass(frozen=True)
class Metric:
    """A metric by name: either `measure` compares pairs, or `extract` and `distance` compare sets.

    Args:
        name: its key in every output.
        title: what people call it.
        better: which way it improves.
        measure: makes the measuring function, from the path of its weights (None when it needs none) and a device.
        extract: makes the function that sees features of images, likewise.
        distance: of the results' features to the reference; the metric's own number comes first, and is named as it.
        extra_outputs: names of the other numbers that `distance` gives.
        weights: name in `tryon.pretrained_weights.WEIGHTS` of the file it needs.
        recommended_samples: number of images below which the output says `caution`.
        small_sample_warning: what is wrong with the number of fewer.
        min_side: shortest side of a image, in pixels, that can be measured.
        settings: what fixes the number, for the protocol.
    """

    name: str
    title: str
    better: Literal["higher", "lower"]
    measure: Callable[[Path | None, str], Measure] | None = None
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
        """Whether it compares each image with its own true image, and so needs one."""
        return self.measure is not None

    @property
    def min_side_for(self) -> int:
        """Fewest images of which it can be computed: sets need a spread."""
        return 1 if self.pairwise else 2


def mean(rows: NDArray[np.floating]) -> float:
    """Mean over images; those whose region is empty (NaN) have no say. NaN when none is left."""
    told = rows[~np.isnan(rows)]
    return float(told.mean()) if len(told) else float("nan")
