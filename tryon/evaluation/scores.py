"""Scoring plain arrays: numbers per picture, gathered by category and method. Knows no network, file or report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tryon.categories import Category
from tryon.metrics import METRICS, PICTURE
from tryon.metrics.metric import Measure, Pictures, Rows

ALL = "all"
"""The rows of every category together, each row counting once."""

GARMENT = "garment"
"""The region that the garment of the row's category covers in the true picture."""

Numbers = dict[str, NDArray[np.floating]]
"""Metric key ("l1", "l1_garment", "fid") to one entry per picture."""


def metric_keys() -> dict[str, str]:
    """Every key of the outputs with the metric it belongs to, in the order of tables: whole picture, then garment."""
    whole = {name: name for name in METRICS}
    inside = {key_of(name, GARMENT): name for name, metric in METRICS.items() if metric.regional}
    return {**whole, **inside}


def key_of(metric: str, region: str) -> str:
    """Key of a metric over a region; the whole picture needs no word."""
    return metric if region == PICTURE else f"{metric}_{region}"


def score_pairs(
    measures: Mapping[str, Measure], results: Pictures, targets: Pictures, garment: NDArray[np.bool_]
) -> Numbers:
    """Compare each result with its own true picture, over the picture and inside the garment.

    Args:
        measures: opened metrics that compare pairs, by name.
        results, targets: uint8 (N, H, W, 3).
        garment: bool (N, H, W), the garment in the true picture.
    """
    return _named(measures, results, targets, {PICTURE: None, GARMENT: garment})


def score_set(measures: Mapping[str, Measure], results: Pictures, people: Pictures) -> Numbers:
    """Features of the results and of the person pictures, for metrics that compare two sets."""
    return _named(measures, results, people, {PICTURE: None})


def _named(
    measures: Mapping[str, Measure],
    results: Pictures,
    targets: Pictures,
    regions: Mapping[str, NDArray[np.bool_] | None],
) -> Numbers:
    measured: dict[Measure, Rows] = {}  # FID and KID share one measure: the costly features are computed once
    for measure in measures.values():
        if measure not in measured:
            measured[measure] = measure(results, targets, regions)
    return {
        key_of(name, region): rows
        for name, measure in measures.items()
        for region, rows in measured[measure].items()
        if region == PICTURE or METRICS[name].regional
    }


class Scores:
    """Numbers of one setting, gathered batch by batch."""

    def __init__(self) -> None:
        self._parts: dict[tuple[Category, str, str], list[NDArray[np.floating]]] = defaultdict(list)

    def add(self, category: Category, method: str, numbers: Numbers) -> None:
        """Add the numbers of a batch."""
        for key, values in numbers.items():
            self._parts[category, method, key].append(values)

    def of(self, category: Category | str, method: str, key: str) -> NDArray[np.floating]:
        """All numbers of a category, or of `ALL`, in the order they came in; empty when there are none."""
        wanted = list(Category) if category == ALL else [Category(category)]
        parts = [part for one in wanted for part in self._parts.get((one, method, key), [])]
        return np.concatenate(parts) if parts else np.empty(0)
