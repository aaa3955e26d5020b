"""From numbers per picture to the numbers of `metrics.json`, and the list of those that could not be had."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import numpy as np

from tryon.categories import Category
from tryon.evaluation.availability import NO_GARMENT, NO_TRUTH, Opened, too_few
from tryon.evaluation.scores import ALL, GARMENT, Scores, metric_keys
from tryon.metrics import METRICS

DECIMALS = 6

Reasons = dict[tuple[str, str], list[str]]
"""(metric key, reason) to the places it holds for."""


def setting_table(
    scores: Scores, methods: list[str], rows: dict[str, int], opened: Opened, setting: str, reasons: Reasons
) -> dict[str, Any]:
    """Category → method → metric key → number, or None with the reason noted in `reasons`.

    Args:
        scores: numbers per picture of this setting.
        methods: the model and the baselines.
        rows: number of test rows by category.
        opened: what could be loaded.
        setting: for the places in `reasons`.
        reasons: receives what is missing.
    """
    counts = {**{str(category): rows.get(str(category), 0) for category in Category}, ALL: sum(rows.values())}
    table: dict[str, Any] = {}
    for category, count in counts.items():
        table[category] = {method: {} for method in methods}
        for key, name in metric_keys().items():
            told = {method: _number(scores, category, method, key, name, count, opened) for method in methods}
            for method, (value, _) in told.items():
                table[category][method][key] = value
            for reason in {reason for _, reason in told.values() if reason}:
                reasons[key, reason].append(f"{setting} {category}")
    return table


def compared_rows(scores: Scores, method: str) -> dict[str, dict[str, int]]:
    """Category → number of rows with a true picture, and of those whose true picture shows the garment.

    The averages are over these; that they are fewer than the test rows must be seen.
    """
    pairs = {category: scores.of(category, method, f"l1_{GARMENT}") for category in (*map(str, Category), ALL)}
    return {
        category: {"picture": len(values), "garment": int((~np.isnan(values)).sum())}
        for category, values in pairs.items()
    }


def new_reasons() -> Reasons:
    """An empty collection of reasons."""
    return defaultdict(list)


def _number(
    scores: Scores, category: str, method: str, key: str, name: str, count: int, opened: Opened
) -> tuple[float | None, str]:
    """One number and, when it cannot be had, the reason; all methods have the same."""
    reason = opened.reasons.get(name) or too_few(METRICS[name], count)
    if reason:
        return None, reason
    values = scores.of(category, method, key)
    if not len(values):
        return None, NO_TRUTH
    value = METRICS[name].value(values)
    return (None, NO_GARMENT) if math.isnan(value) else (round(value, DECIMALS), "")


def unavailable_list(reasons: Reasons, places: int) -> list[dict[str, str]]:
    """What is missing, one entry a metric and reason; `places` is how many there are, so that all can be said short."""
    return [
        {"metric": key, "where": "everywhere" if len(where) == places else ", ".join(where), "reason": reason}
        for (key, reason), where in reasons.items()
    ]
