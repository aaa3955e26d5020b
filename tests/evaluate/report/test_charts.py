"""Charts: round ticks, and points that lie inside the frame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tryon.evaluate.report.charts import HEIGHT, WIDTH, line_chart, ticks


@pytest.mark.parametrize(("highest", "expected"), [(0.4, [0, 0.1, 0.2, 0.3, 0.4]), (7, [0, 2, 4, 6, 8]), (0, [0, 1])])
def test_ticks_are_round_numbers(highest: float, expected: list[float]) -> None:
    assert ticks(highest) == pytest.approx(expected)


@given(some.floats(1e-9, 1e9))
def test_ticks_reach_from_zero_to_above_the_highest(highest: float) -> None:
    told = ticks(highest)
    assert told[0] == 0
    assert told[-1] >= highest * (1 - 1e-6)
    assert 2 <= len(told) <= 6


def test_lines_lie_inside_the_frame_and_up_is_more() -> None:
    chart = line_chart("loss", {"a": [(0, 3.0), (1, 1.0), (2, 0.0)]}, {"a": 0}, mark=(2, "best"))
    points = [tuple(map(float, pair.split(","))) for pair in chart.lines[0].points.split()]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    assert points[0][1] < points[1][1] < points[2][1]
    assert chart.mark == points[2][0]
    assert [label for _, label in chart.x_ticks] == ["0", "1", "2"]
