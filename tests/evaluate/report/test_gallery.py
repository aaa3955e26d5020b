"""Tests of gallery row selection."""

from __future__ import annotations

import numpy as np
from hypothesis import given, strategies

from tryon.evaluate.report.gallery import BEST, MEDIAN, RANDOM, WORST, select_rows


def test_selects_a_third_each_of_best_median_and_worst() -> None:
    errors = np.arange(10) / 10
    selected = select_rows([f"row{number}" for number in range(10)], errors, 6, 0)
    assert {pair: row.kind for pair, row in selected.items()} == {
        "row0": BEST, "row1": BEST, "row4": MEDIAN, "row5": MEDIAN, "row9": WORST, "row8": WORST,
    }  # fmt: skip
    assert list(selected) == ["row0", "row1", "row4", "row5", "row9", "row8"]
    assert selected["row9"].error == 0.9


@given(
    strategies.lists(strategies.floats(0, 1) | strategies.just(float("nan")), max_size=30), strategies.integers(1, 12)
)
def test_selected_rows_are_distinct_and_complete(errors: list[float], count: int) -> None:
    known = int(np.isfinite(errors).sum())
    selected = select_rows([f"{number}" for number in range(len(errors))], np.array(errors), count, 0)
    assert len(selected) == min(count, known or len(errors))
    kinds = [row.kind for row in selected.values()]
    if known:
        assert RANDOM not in kinds
        assert kinds.count(WORST) >= kinds.count(BEST) >= kinds.count(MEDIAN) >= kinds.count(WORST) - 1
    else:
        assert set(kinds) <= {RANDOM}


def test_selects_by_hash_without_ground_truth() -> None:
    pairs = [f"row{number}" for number in range(20)]
    unknown = np.full(20, np.nan)
    assert select_rows(pairs, unknown, 4, 1) == select_rows(pairs, unknown, 4, 1)
    assert set(select_rows(pairs, unknown, 4, 1)) != set(select_rows(pairs, unknown, 4, 2))
