"""Average row scores into tables, with reasons for missing values and small-sample warnings."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from tryon.metrics.metric import mean
from tryon.metrics.regions import GARMENT
from tryon.runtime.number_format import round_or_none
from tryon.scoring.measure import Measurement
from tryon.scoring.metric_availability import (
    EMPTY_REGION_REASONS,
    NO_SPREAD,
    NO_TRUTH,
    UNKNOWN_REGIONS,
    insufficient_samples,
)

Notes = dict[tuple[str, str], list[str]]
"""(metric or key, text) to the groups it applies to."""

Scores = dict[str, float | None]
"""Key to mean score, None where it is unavailable."""


def new_notes() -> Notes:
    """Return an empty collection of notes."""
    return defaultdict(list)


def method_table(
    measurement: Measurement, method: str, reasons: Notes, decimals: int, prefix: str = ""
) -> dict[str, Scores]:
    """Return group → key → mean score of one method; add a reason for every None to `reasons`.

    Args:
        reasons: receives (key or metric name, reason) → groups.
        decimals: digits after the point.
        prefix: of the groups in `reasons` ("paired ").
    """
    table: dict[str, Scores] = {}
    for group, count in measurement.groups.items():
        scores = table[group] = {}
        for key, value, note in _scores_of_group(measurement, method, group, count):
            scores[key] = round_or_none(value, decimals)
            label = f"{prefix}{group}"
            if note and label not in reasons[note]:
                reasons[note].append(label)
    return table


def _scores_of_group(
    measurement: Measurement, method: str, group: str, count: int
) -> Iterable[tuple[str, float, tuple[str, str] | None]]:
    """Yield key, score (NaN if unavailable) and, for NaN, the key or metric with the reason."""
    matrix = measurement.rows.matrix(measurement.setting, method, group)
    columns = dict(zip(measurement.rows.keys, matrix.T, strict=True))
    has_truth = len(matrix) > 0 and not all(math.isnan(mean(column)) for column in columns.values())
    has_regions = any(hashes.regions for hashes in measurement.references.values())
    for key, (each, region) in measurement.protocol.keys().items():
        reason = measurement.available.reasons.get(each.name) or insufficient_samples(each.metric, count)
        if reason:
            yield key, math.nan, (each.name, reason)
            continue
        if each.metric.pairwise:
            value = mean(columns[key])
            reason = EMPTY_REGION_REASONS[region] if has_regions else UNKNOWN_REGIONS
            note = (key, reason) if has_truth else (each.name, NO_TRUTH)
        else:
            value = measurement.sets.get((group, method, key), math.nan)
            note = (key, NO_SPREAD)
        yield key, value, note if math.isnan(value) else None


def small_sample_warnings(measurement: Measurement, warnings: Notes, prefix: str = "") -> None:
    """Add a warning for every set metric that was computed from too few images."""
    for each in measurement.protocol.metrics:
        metric = each.metric
        if each.name not in measurement.available.extractors:
            continue
        for group, count in measurement.groups.items():
            if count < metric.recommended_samples and not insufficient_samples(metric, count):
                text = f"with fewer than {metric.recommended_samples:,} images {metric.small_sample_warning}"
                warnings[each.name, text].append(f"{prefix}{group} ({count} images)")


def ground_truth_rows(measurement: Measurement, method: str) -> dict[str, dict[str, int]]:
    """Count the rows of each group that have a ground-truth image, and those whose image shows the garment."""
    keys = {"image": "l1", "garment": f"l1_{GARMENT}"}
    counts = {}
    for group in measurement.groups:
        matrix = measurement.rows.matrix(measurement.setting, method, group)
        columns = {name: matrix[:, measurement.rows.keys.index(key)] for name, key in keys.items()}
        counts[group] = {name: int((~np.isnan(column)).sum()) for name, column in columns.items()}
    return counts


def notes_to_list(notes: Notes, all_groups: int, text: str) -> list[dict[str, str]]:
    """Return one entry per metric and text: metric, where ("everywhere" or the groups), and the text under `text`."""
    return [
        {"metric": name, "where": "everywhere" if len(groups) == all_groups else ", ".join(groups), text: message}
        for (name, message), groups in notes.items()
    ]
