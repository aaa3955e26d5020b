"""Compute bootstrap confidence intervals of mean scores over rows.

Percentile bootstrap (Efron 1979): rows are resampled with replacement, and the interval is the middle 95 % of the
means. All metrics and groups share the resamples, so that one matrix product computes all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

NUM_RESAMPLES = 2000
LEVEL = 0.95
MIN_ROWS = 5
"""Means of fewer rows have no interval."""

_BATCH = 100
"""Resamples in memory at once (4 MB at 5,400 rows)."""

Floats = NDArray[np.float64]


class Interval(NamedTuple):
    """A mean and its confidence interval.

    Args:
        mean: over the rows that have a value.
        low, high: ends of the interval, None for fewer than `MIN_ROWS` rows.
        rows: number of rows with a value.
    """

    mean: float
    low: float | None
    high: float | None
    rows: int


class Verdict(StrEnum):
    """Outcome of a comparison."""

    BETTER = "better"
    WORSE = "worse"
    NO_DIFFERENCE = "no difference"


def intervals(
    values: Floats, groups: NDArray[np.bool_], seed: int, level: float = LEVEL
) -> list[list[Interval | None]]:
    """Compute mean and interval of every column in every group.

    Args:
        values: float64 (N, M), one row per pair and one column per metric; NaN where a pair has no value.
        groups: bool (N, G), membership of rows in groups.
        seed: of the resamples.
        level: confidence level, 0..1.

    Returns:
        G lists of M; None where no row has a value.

    >>> scores = np.linspace(0, 1, 101)[:, None]
    >>> ((interval,),) = intervals(scores, np.ones((101, 1), bool), seed=0)
    >>> [round(float(value), 2) for value in interval]
    [0.5, 0.44, 0.56, 101.0]
    """
    return intervals_at(values, groups, seed, (level,))[0]


def intervals_at(
    values: Floats, groups: NDArray[np.bool_], seed: int, levels: Sequence[float]
) -> list[list[list[Interval | None]]]:
    """Compute `intervals` at several levels from the same resamples."""
    valid = np.isfinite(values)
    scores, weights = (
        _split_by_group(part, groups) for part in (np.where(valid, values, 0.0), valid.astype(np.float64))
    )
    sums, counts = scores.sum(axis=0), weights.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):  # NaN for resamples without a value
        means = np.concatenate([(draws @ scores) / (draws @ weights) for draws in _draws(len(values), seed)])
    means[:, counts < MIN_ROWS] = 0.0  # replaced by None below; all of them may be NaN
    tails = np.array([((1 - level) / 2, (1 + level) / 2) for level in levels])
    columns = values.shape[1]
    by_level = []
    for ends in np.nanquantile(means, tails, axis=0):
        cells = [_interval(*cell) for cell in zip(sums, counts, *ends, strict=True)]
        by_level.append([cells[start : start + columns] for start in range(0, len(cells), columns)])
    return by_level


def verdict(difference: Interval, lower_is_better: bool) -> Verdict:
    """Judge the first of two systems by the interval of the mean difference to the second."""
    if difference.low is None or difference.high is None or difference.low <= 0 <= difference.high:
        return Verdict.NO_DIFFERENCE
    return Verdict.BETTER if (difference.high < 0) == lower_is_better else Verdict.WORSE


def _split_by_group(values: Floats, groups: NDArray[np.bool_]) -> Floats:
    """Return the values by group, 0 outside it: (N, G·M)."""
    return (groups[:, :, None] * values[:, None, :]).reshape(len(values), groups.shape[1] * values.shape[1])


def _draws(rows: int, seed: int) -> Iterator[Floats]:
    """Yield how often each row is drawn, float64 (resamples, N), in batches."""
    random = np.random.default_rng(seed)
    for start in range(0, NUM_RESAMPLES, _BATCH):
        draws = min(_BATCH, NUM_RESAMPLES - start)
        indices = random.integers(0, max(rows, 1), (draws, rows)) + np.arange(draws)[:, None] * rows
        yield np.bincount(indices.ravel(), minlength=draws * rows).reshape(draws, rows).astype(np.float64)


def _interval(total: float, count: float, low: float, high: float) -> Interval | None:
    if not count:
        return None
    ends = (float(low), float(high)) if count >= MIN_ROWS else (None, None)
    return Interval(total / count, *ends, int(count))
