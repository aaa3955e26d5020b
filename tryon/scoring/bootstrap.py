"""Bootstrap confidence intervals of mean scores over rows.

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
"""Rows below which no interval is given."""

_BATCH = 100
"""Resamples whose counts are in memory at once (4 MB at 5,400 rows)."""

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
    """Result of a comparison."""

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
    known = np.isfinite(values)
    parts = _split(np.where(known, values, 0.0), groups), _split(known.astype(np.float64), groups)
    sums, counts = (part.sum(axis=0) for part in parts)
    means = _means(*parts, draws=_draws(len(values), seed))
    means[:, counts < MIN_ROWS] = 0.0  # replaced by None below; all of them may be NaN
    tails = np.array([((1 - level) / 2, (1 + level) / 2) for level in levels])
    columns = values.shape[1]
    levels_out = []
    for ends in np.nanquantile(means, tails, axis=0):
        found = [_interval(*facts) for facts in zip(sums, counts, *ends, strict=True)]
        levels_out.append([found[start : start + columns] for start in range(0, len(found), columns)])
    return levels_out


def verdict(between: Interval, lower_is_better: bool) -> Verdict:
    """Return the verdict on the first system from the interval of a mean difference."""
    if between.low is None or between.high is None or between.low <= 0 <= between.high:
        return Verdict.NO_DIFFERENCE
    return Verdict.BETTER if (between.high < 0) == lower_is_better else Verdict.WORSE


def _split(values: Floats, groups: NDArray[np.bool_]) -> Floats:
    """Return the values by group, 0 outside it: (N, G·M)."""
    return (groups[:, :, None] * values[:, None, :]).reshape(len(values), groups.shape[1] * values.shape[1])


def _draws(rows: int, seed: int) -> Iterator[Floats]:
    """Yield how often each row is drawn, float64 (resamples, N), in batches."""
    random = np.random.default_rng(seed)
    for start in range(0, NUM_RESAMPLES, _BATCH):
        draws = min(_BATCH, NUM_RESAMPLES - start)
        drawn = random.integers(0, max(rows, 1), (draws, rows)) + np.arange(draws)[:, None] * rows
        yield np.bincount(drawn.ravel(), minlength=draws * rows).reshape(draws, rows).astype(np.float64)


def _means(values: Floats, known: Floats, draws: Iterator[Floats]) -> Floats:
    """Return the mean of each column in each resample, (resamples, G·M), NaN without a value."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.concatenate([(drawn @ values) / (drawn @ known) for drawn in draws])


def _interval(total: float, count: float, low: float, high: float) -> Interval | None:
    if not count:
        return None
    enough = count >= MIN_ROWS
    return Interval(total / count, float(low) if enough else None, float(high) if enough else None, int(count))
