"""The learning rate by step."""

from __future__ import annotations

import pytest

from tryon.training.optimizer import learning_rate


def test_it_rises_evenly_to_the_peak_then_falls_to_near_zero() -> None:
    rates = [learning_rate(step, 100, 2.0, 20) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[19] == pytest.approx(2.0)
    assert rates[20] == pytest.approx(2.0)
    assert rates[60] == pytest.approx(1.0)
    assert 0 < rates[99] < 0.002
    assert rates[20:] == sorted(rates[20:], reverse=True)


@pytest.mark.parametrize(("total", "warmup"), [(1, 0), (1, 20), (5, 5), (10, 20)])
def test_short_runs_have_positive_rates_up_to_the_peak(total: int, warmup: int) -> None:
    rates = [learning_rate(step, total, 1.0, warmup) for step in range(total)]
    assert all(0 < rate <= 1 for rate in rates)
