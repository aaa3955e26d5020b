"""Line charts as plain numbers in a fixed frame, ready for a template to draw as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 360, 210
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 12, 30
"""Margins around the plotting area, in the units of the drawing."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """A drawn line: its name, `x,y x,y …`, and the number of its colour."""

    name: str
    points: str
    colour: int


@dataclass(frozen=True)
class Chart:
    """A drawn chart. Ticks are (position, label); `mark` is where a vertical line stands."""

    title: str
    x_title: str
    lines: list[Line]
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    mark: float | None
    mark_label: str


def line_chart(
    title: str,
    series: dict[str, list[Point]],
    colours: dict[str, int],
    x_title: str = "epoch",
    mark: float | None = None,
    mark_label: str = "",
) -> Chart:
    """Lay out named series of (x, y); the y axis begins at 0."""
    xs = [x for points in series.values() for x, _ in points]
    ys = [y for points in series.values() for _, y in points]
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
            Line(name, " ".join(f"{at_x(x)},{at_y(y)}" for x, y in points), colours[name])
            for name, points in series.items()
        ],
        x_ticks=[(at_x(x), f"{x:g}") for x in _whole_steps(x_low, x_high)],
        y_ticks=[(at_y(y), f"{y:g}") for y in y_steps],
        mark=None if mark is None else at_x(mark),
        mark_label=mark_label,
    )


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
