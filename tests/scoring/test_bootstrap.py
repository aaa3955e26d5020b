"""Tests of bootstrap intervals: agreement with SciPy, coverage, missing values, verdicts."""

import numpy as np
import pytest
from scipy import stats

from tryon.scoring.bootstrap import MIN_ROWS, NUM_RESAMPLES, Verdict, intervals, verdict


def one_group(values):
    return np.ones((len(values), 1), bool)


def single_interval(values):
    return intervals(values[:, None], one_group(values), seed=0)[0][0]


def test_interval_matches_scipy():
    values = np.random.default_rng(0).gamma(2.0, 0.1, 300)
    result = intervals(values[:, None], one_group(values), seed=1)[0][0]
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=NUM_RESAMPLES, method="percentile", rng=2
    ).confidence_interval
    assert result.mean == pytest.approx(values.mean())
    width = expected.high - expected.low
    assert result.low == pytest.approx(expected.low, abs=0.05 * width)
    assert result.high == pytest.approx(expected.high, abs=0.05 * width)


def test_interval_covers_true_mean_at_its_level():
    random = np.random.default_rng(3)
    results = [
        intervals(values[:, None], one_group(values), seed)[0][0]
        for seed, values in enumerate(random.normal(5.0, 1.0, (300, 60)))
    ]
    coverage = np.mean([each.low <= 5.0 <= each.high for each in results])
    assert 0.90 <= coverage <= 0.98


def test_groups_and_metrics_are_independent():
    random = np.random.default_rng(4)
    values = random.random((80, 3))
    values[random.random((80, 3)) < 0.2] = np.nan
    groups = random.random((80, 4)) < 0.5
    together = intervals(values, groups, seed=9)
    for group in range(4):
        for metric in range(3):
            separate = intervals(values[:, [metric]], groups[:, [group]], seed=9)[0][0]
            assert together[group][metric] == pytest.approx(separate)
            inside = values[groups[:, group], metric]
            assert separate.mean == pytest.approx(np.nanmean(inside))
            assert separate.rows == np.isfinite(inside).sum()


def test_few_rows_have_no_interval_and_no_rows_have_no_mean():
    values = np.full((MIN_ROWS, 2), np.nan)
    values[: MIN_ROWS - 1, 0] = 1.0
    few, empty = intervals(values, one_group(values), seed=0)[0]
    assert few == (1.0, None, None, MIN_ROWS - 1)
    assert empty is None
    assert intervals(np.empty((0, 2)), np.empty((0, 1), bool), seed=0) == [[None, None]]


def test_interval_repeats_by_seed_and_is_stable_across_seeds():
    values = np.random.default_rng(5).random((200, 1))
    first, repeated, reseeded = (intervals(values, one_group(values), seed)[0][0] for seed in (1, 1, 2))
    assert first == repeated != reseeded
    assert first.low == pytest.approx(reseeded.low, abs=0.01)


@pytest.mark.parametrize(
    ("shift", "lower_is_better", "expected"),
    [(-0.1, True, "better"), (-0.1, False, "worse"), (0.1, True, "worse"), (0.1, False, "better")],
)
def test_verdict_detects_shift_in_either_direction(shift, lower_is_better, expected):
    differences = shift + 0.05 * np.random.default_rng(6).standard_normal(100)
    assert verdict(single_interval(differences), lower_is_better) == expected


def test_noise_and_few_rows_are_no_difference():
    noise = 0.1 * np.random.default_rng(7).standard_normal(100)
    noise[:30] = np.nan  # pairs without a value in one of two results
    assert single_interval(noise).rows == 70
    assert verdict(single_interval(noise), True) is Verdict.NO_DIFFERENCE
    assert verdict(single_interval(np.full(MIN_ROWS - 1, 1.0)), True) is Verdict.NO_DIFFERENCE
