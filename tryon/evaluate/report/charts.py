"""Line charts as plain numbers in a fixed frame, ready for a template to draw as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tryon.scoring.bootstrap import Interval

WIDTH, HEIGHT = 360, 210
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 12, 30
"""Margins around the plotting area, in the units of the drawing."""

Point = tuple[float, float]

Span = tuple[float, float, float]
"""x, lower end, upper end."""


@dataclass(frozen=True)
class CurveLine:
    """A drawn line: its name, `x,y x,y …`, and the number of its color."""

    name: str
    points: str
    color: int


@dataclass(frozen=True)
class Bar:
    """An upright interval: where it stands, its ends, and the number of its color."""

    x: float
    low: float
    high: float
    color: int


@dataclass(frozen=True)
class Chart:
    """A drawn chart. Ticks are (position, label); `mark` is where a vertical line stands."""

    title: str
    x_title: str
    lines: list[CurveLine]
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    mark: float | None
    mark_label: str
    bars: list[Bar]


def line_chart(
    title: str,
    series: dict[str, list[Point]],
    colors: dict[str, int],
    x_title: str = "epoch",
    mark: tuple[float, str] | None = None,
    spans: dict[str, list[Span]] | None = None,
) -> Chart:
    """Lay out named series of (x, y) with intervals (x, low, high) around their points; the y axis begins at 0."""
    spans = spans or {}
    xs = [x for points in series.values() for x, _ in points]
    ys = [y for points in series.values() for _, y in points] + [high for own in spans.values() for *_, high in own]
    x_low, x_high = min(xs), max(max(xs), min(xs) + 1)
    y_steps = ticks(max(ys))
    across, down = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def at_x(x: float) -> float:
        return round(LEFT + (x - x_low) / (x_high - x_low) * across, 1)

    def at_y(y: float) -> float:
        return round(TOP + (1 - y / y_steps[-1]) * down, 1)

    return Chart(
        title=title,
        x_title=x_title,
        lines=[
            CurveLine(name, " ".join(f"{at_x(x)},{at_y(y)}" for x, y in points), colors[name])
            for name, points in series.items()
        ],
        x_ticks=[(at_x(x), f"{x:g}".replace("-", "−")) for x in _whole_steps(x_low, x_high)],
        y_ticks=[(at_y(y), f"{y:g}") for y in y_steps],
        mark=None if mark is None else at_x(mark[0]),
        mark_label="" if mark is None else mark[1],
        bars=[Bar(at_x(x), at_y(low), at_y(high), colors[name]) for name, own in spans.items() for x, low, high in own],
    )


@dataclass(frozen=True)
class Dot:
    """A line of a dot chart: label, number of rows, where the mean and the ends of its interval lie, whether marked."""

    label: str
    rows: int
    y: float
    x: float
    ends: tuple[float, float] | None
    marked: bool


@dataclass(frozen=True)
class DotChart:
    """Means with intervals, one below the other; `mean` is where the upright line stands."""

    title: str
    dots: list[Dot]
    ticks: list[tuple[float, str]]
    mean: float
    height: float


DOT_LEFT, DOT_RIGHT, DOT_LINE, DOT_TOP, DOT_BOTTOM = 124, 326, 24, 10, 24
"""Where the plotting area of a dot chart begins and ends across, the height of a line, and the margins."""


def dot_chart(title: str, values: dict[str, Interval], mean: float, highest: float, marked: set[str]) -> DotChart:
    """Lay out means with their intervals.

    Args:
        title: of the chart.
        values: label to interval, top down.
        mean: of all rows, drawn as an upright line.
        highest: what the axis must hold, the same for charts to be read together; it begins at 0.
        marked: labels to point out.
    """
    steps = ticks(highest, 4)

    def at(x: float) -> float:
        return round(DOT_LEFT + x / steps[-1] * (DOT_RIGHT - DOT_LEFT), 1)

    dots = [
        Dot(
            label, one.rows, DOT_TOP + (number + 0.5) * DOT_LINE, at(one.mean),
            None if one.low is None or one.high is None else (at(one.low), at(one.high)), label in marked,
        )
        for number, (label, one) in enumerate(values.items())
    ]  # fmt: skip
    height = DOT_TOP + len(dots) * DOT_LINE + DOT_BOTTOM
    return DotChart(title, dots, [(at(x), f"{x:g}") for x in steps], at(mean), height)


def ticks(highest: float, most: int = 5) -> list[float]:
    """Round numbers from 0 to at least `highest`, at most `most` steps of 1, 2 or 5 times a power of ten."""
    if highest <= 0:
        return [0.0, 1.0]
    power = 10 ** math.floor(math.log10(highest / most))
    step = next(power * nice for nice in (1, 2, 5, 10) if highest <= power * nice * most)
    return [round(step * number, 12) for number in range(math.ceil(highest / step - 1e-9) + 1)]


def _whole_steps(low: float, high: float) -> Sequence[float]:
    step = max(1, math.ceil((high - low) / 10))
    return range(int(low), int(high) + 1, step)
