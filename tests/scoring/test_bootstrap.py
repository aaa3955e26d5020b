"""Intervals agree with SciPy's bootstrap, hold the true mean as often as they say, and leave unknown values out."""

import numpy as np
import pytest
from scipy import stats

from tryon.scoring.bootstrap import MIN_ROWS, NUM_RESAMPLES, Verdict, intervals, verdict


def one_group(values):
    return np.ones((len(values), 1), bool)


def alone(values):
    return intervals(values[:, None], one_group(values), seed=0)[0][0]


def test_interval_matches_scipy():
    values = np.random.default_rng(0).gamma(2.0, 0.1, 300)
    ours = intervals(values[:, None], one_group(values), seed=1)[0][0]
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=NUM_RESAMPLES, method="percentile", rng=2
    ).confidence_interval
    assert ours.mean == pytest.approx(values.mean())
    width = theirs.high - theirs.low
    assert ours.low == pytest.approx(theirs.low, abs=0.05 * width)
    assert ours.high == pytest.approx(theirs.high, abs=0.05 * width)


def test_interval_covers_true_mean_at_its_level():
    random = np.random.default_rng(3)
    found = [
        intervals(values[:, None], one_group(values), seed)[0][0]
        for seed, values in enumerate(random.normal(5.0, 1.0, (300, 60)))
    ]
    held = np.mean([one.low <= 5.0 <= one.high for one in found])
    assert 0.90 <= held <= 0.98


def test_groups_and_metrics_are_independent():
    random = np.random.default_rng(4)
    values = random.random((80, 3))
    values[random.random((80, 3)) < 0.2] = np.nan
    groups = random.random((80, 4)) < 0.5
    together = intervals(values, groups, seed=9)
    for group in range(4):
        for metric in range(3):
            alone = intervals(values[:, [metric]], groups[:, [group]], seed=9)[0][0]
            assert together[group][metric] == pytest.approx(alone)
            inside = values[groups[:, group], metric]
            assert alone.mean == pytest.approx(np.nanmean(inside))
            assert alone.rows == np.isfinite(inside).sum()


def test_few_rows_have_no_interval_and_no_rows_have_no_mean():
    values = np.full((MIN_ROWS, 2), np.nan)
    values[: MIN_ROWS - 1, 0] = 1.0
    few, none = intervals(values, one_group(values), seed=0)[0]
    assert few == (1.0, None, None, MIN_ROWS - 1)
    assert none is None
    assert intervals(np.empty((0, 2)), np.empty((0, 1), bool), seed=0) == [[None, None]]


def test_interval_repeats_by_seed_and_is_stable_across_seeds():
    values = np.random.default_rng(5).random((200, 1))
    first, again, other = (intervals(values, one_group(values), seed)[0][0] for seed in (1, 1, 2))
    assert first == again != other
    assert first.low == pytest.approx(other.low, abs=0.01)


@pytest.mark.parametrize(
    ("shift", "lower_is_better", "told"),
    [(-0.1, True, "better"), (-0.1, False, "worse"), (0.1, True, "worse"), (0.1, False, "better")],
)
def test_verdict_detects_shift_in_either_direction(shift, lower_is_better, told):
    between = shift + 0.05 * np.random.default_rng(6).standard_normal(100)
    assert verdict(alone(between), lower_is_better) == told


def test_noise_and_few_rows_are_no_difference():
    noise = 0.1 * np.random.default_rng(7).standard_normal(100)
    noise[:30] = np.nan  # pairs that only one of two systems has a value of
    assert alone(noise).rows == 70
    assert verdict(alone(noise), True) is Verdict.NO_DIFFERENCE
    assert verdict(alone(np.full(MIN_ROWS - 1, 1.0)), True) is Verdict.NO_DIFFERENCE
