"""From numbers per image to the numbers of `metrics.json`, and the list of those that could not be had."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tryon.categories import Category
from tryon.evaluate.baselines import IDEAL
from tryon.metrics import METRICS
from tryon.metrics.metric import mean
from tryon.metrics.pairwise import pair_keys
from tryon.metrics.regions import GARMENT
from tryon.scoring.metric_availability import (
    EMPTY,
    NO_FLOW,
    NO_SPREAD,
    NO_TRUTH,
    AvailableMetrics,
    insufficient_samples,
    small_sample_warning,
)
from tryon.scoring.row_scores import ALL, RowScores, metric_keys
from tryon.scoring.set_metrics import SetNumbers

DECIMALS = 6

Reasons = dict[tuple[str, str], list[str]]
"""(metric key, reason) to the places it holds for."""


@dataclass(frozen=True)
class SettingScores:
    """What was measured in one setting.

    Args:
        setting: paired or unpaired.
        scores: numbers of every row.
        sets: numbers of sets.
        opened: what could be loaded.
        rows: number of test rows by category.
    """

    setting: str
    scores: RowScores
    sets: SetNumbers
    opened: AvailableMetrics
    rows: Mapping[str, int]

    @property
    def counts(self) -> dict[str, int]:
        """Number of test rows of every category and of `ALL`."""
        return {
            **{str(category): self.rows.get(str(category), 0) for category in Category},
            ALL: sum(self.rows.values()),
        }


def setting_table(measured: SettingScores, methods: list[str], reasons: Reasons) -> dict[str, Any]:
    """Category → method → metric key → number, or None with the reason noted in `reasons`.

    Args:
        measured: what there is.
        methods: the model, the baselines and the bound.
        reasons: receives what is missing; the bound is told once, not metric by metric.
    """
    table: dict[str, Any] = {}
    unbounded = IDEAL in methods and not measured.scores.pair_ids(measured.setting, IDEAL)
    for category in measured.counts:
        told = {method: _numbers(measured, category, method) for method in methods}
        table[category] = {method: {key: value for key, (value, _) in own.items()} for method, own in told.items()}
        if unbounded:
            told.pop(IDEAL)
            table[category][IDEAL] = dict.fromkeys(metric_keys())
            reasons[IDEAL, NO_FLOW].append(f"{measured.setting} {category}")
        missing = [
            (_subject(key, reason), reason) for own in told.values() for key, (_, reason) in own.items() if reason
        ]
        for key, reason in dict.fromkeys(missing):
            reasons[key, reason].append(f"{measured.setting} {category}")
    return table


def _subject(key: str, reason: str) -> str:
    """What to call missing: the key where it is the region's fault, else the metric, once for all its regions."""
    return key if reason in {NO_SPREAD, *EMPTY.values()} - {NO_TRUTH} else metric_keys()[key]


def collect_warnings(measured: SettingScores, cautions: Reasons) -> None:
    """Note in `cautions` which numbers of the setting come from too few images to be taken at face value."""
    for name in measured.opened.extractors:
        for category, count in measured.counts.items():
            if not insufficient_samples(METRICS[name], count) and (told := small_sample_warning(METRICS[name], count)):
                cautions[name, told].append(f"{measured.setting} {category}")


def compared_rows(scores: RowScores, setting: str, method: str) -> dict[str, dict[str, int]]:
    """Category → number of rows with a true image, and of those whose true image shows the garment.

    The averages are over these; that they are fewer than the test rows must be seen.
    """
    keys = {"image": "l1", "garment": f"l1_{GARMENT}"}
    return {
        category: {
            what: int((~np.isnan(scores.values(setting, method, category, key))).sum()) for what, key in keys.items()
        }
        for category in (*map(str, Category), ALL)
    }


def new_reasons() -> Reasons:
    """An empty collection of reasons."""
    return defaultdict(list)


def _numbers(measured: SettingScores, category: str, method: str) -> dict[str, tuple[float | None, str]]:
    """Every key with its number and, when it cannot be had, the reason; all methods have the same."""
    matrix = measured.scores.matrix(measured.setting, method, category)
    columns = dict(zip(measured.scores.keys, matrix.T, strict=True))
    regions = {key: region for key, (_, region) in pair_keys().items()}
    known = len(matrix) > 0 and not np.isnan(matrix).all()
    found: dict[str, tuple[float | None, str]] = {}
    for key, name in metric_keys().items():
        reason = measured.opened.reasons.get(name) or insufficient_samples(METRICS[name], measured.counts[category])
        if reason:
            found[key] = None, reason
            continue
        value = mean(columns[key]) if key in columns else measured.sets.get((category, method, key), math.nan)
        why = (EMPTY[regions[key]] if known else NO_TRUTH) if key in columns else NO_SPREAD
        found[key] = (None, why) if math.isnan(value) else (round(value, DECIMALS), "")
    return found


def unavailable_list(reasons: Reasons, places: int) -> list[dict[str, str]]:
    """What is missing, one entry a metric and reason; `places` is how many there are, so that all can be said short."""
    return _listed(reasons, places, "reason")


def caution_list(cautions: Reasons, places: int) -> list[dict[str, str]]:
    """What is to be borne in mind, likewise."""
    return _listed(cautions, places, "warning")


def _listed(notes: Reasons, places: int, what: str) -> list[dict[str, str]]:
    return [
        {"metric": key, "where": "everywhere" if len(where) == places else ", ".join(where), what: told}
        for (key, told), where in notes.items()
    ]
