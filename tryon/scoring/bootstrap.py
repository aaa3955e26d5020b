"""Bootstrap intervals: how far a mean would move if other pairs of the same kind had been scored.

The percentile bootstrap over rows (Efron 1979): rows are drawn with replacement, every mean is taken again, and the
interval holds the middle 95 % of what comes out. All metrics and groups share the draws, so that one matrix product
gives them all, and one seed the same intervals every time.
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
"""Rows below which no interval is given: so few values do not show how far others would lie."""

_AT_ONCE = 100
"""Draws whose counts are held at once; at 5,400 rows 4 MB."""

Floats = NDArray[np.float64]


class Interval(NamedTuple):
    """A mean and where it may lie.

    Args:
        mean: over the rows that have a value.
        low: lower end of the interval, None for fewer than `MIN_ROWS` rows.
        high: upper end.
        rows: with a value.
    """

    mean: float
    low: float | None
    high: float | None
    rows: int


class Verdict(StrEnum):
    """What a comparison says."""

    BETTER = "better"
    WORSE = "worse"
    NO_DIFFERENCE = "no difference"


def intervals(
    values: Floats, groups: NDArray[np.bool_], seed: int, level: float = LEVEL
) -> list[list[Interval | None]]:
    """Mean and interval of every column within every group.

    Args:
        values: float64 (N, M), a row per pair and a column per metric; NaN where a pair has no value.
        groups: bool (N, G), which rows belong to which group.
        seed: of the draws.
        level: share of the draws whose mean lies in the interval.

    Returns:
        G lists of M; None where no row has a value.
    """
    return intervals_at(values, groups, seed, (level,))[0]


def intervals_at(
    values: Floats, groups: NDArray[np.bool_], seed: int, levels: Sequence[float]
) -> list[list[list[Interval | None]]]:
    """`intervals` at several levels, of the same draws."""
    known = np.isfinite(values)
    parts = _split(np.where(known, values, 0.0), groups), _split(known.astype(np.float64), groups)
    sums, counts = (part.sum(axis=0) for part in parts)
    means = _means(*parts, draws=_draws(len(values), seed))
    means[:, counts < MIN_ROWS] = 0.0  # not looked at; all of them may be absent
    tails = np.array([((1 - level) / 2, (1 + level) / 2) for level in levels])
    columns = values.shape[1]
    told = []
    for ends in np.nanquantile(means, tails, axis=0):
        found = [_interval(*facts) for facts in zip(sums, counts, *ends, strict=True)]
        told.append([found[start : start + columns] for start in range(0, len(found), columns)])
    return told


def verdict(between: Interval, lower_is_better: bool) -> Verdict:
    """What the interval of a mean difference says of the first system."""
    if between.low is None or between.high is None or between.low <= 0 <= between.high:
        return Verdict.NO_DIFFERENCE
    return Verdict.BETTER if (between.high < 0) == lower_is_better else Verdict.WORSE


def _split(values: Floats, groups: NDArray[np.bool_]) -> Floats:
    """(N, G·M): the values, 0 outside each group."""
    return (groups[:, :, None] * values[:, None, :]).reshape(len(values), groups.shape[1] * values.shape[1])


def _draws(rows: int, seed: int) -> Iterator[Floats]:
    """How often each row is drawn, float64 (draws, N), some draws at a time."""
    random = np.random.default_rng(seed)
    for start in range(0, NUM_RESAMPLES, _AT_ONCE):
        draws = min(_AT_ONCE, NUM_RESAMPLES - start)
        drawn = random.integers(0, max(rows, 1), (draws, rows)) + np.arange(draws)[:, None] * rows
        yield np.bincount(drawn.ravel(), minlength=draws * rows).reshape(draws, rows).astype(np.float64)


def _means(values: Floats, known: Floats, draws: Iterator[Floats]) -> Floats:
    """(draws, G·M): the mean of each column in each draw, NaN where a draw holds no value of it."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.concatenate([(drawn @ values) / (drawn @ known) for drawn in draws])


def _interval(total: float, count: float, low: float, high: float) -> Interval | None:
    if not count:
        return None
    enough = count >= MIN_ROWS
    return Interval(total / count, float(low) if enough else None, float(high) if enough else None, int(count))
