"""Draw the charts of the report as SVG in the colors of the page (light, dark and print)."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tryon.scoring.bootstrap import Interval

Point = tuple[float, float]

COLORS = ("--c0", "--c1", "--c2", "--c3", "--soft", "--ink", "--line")
"""CSS variables of `report.css` that charts use."""

_HEX = {name: f"#0a0b{number:02x}" for number, name in enumerate(COLORS)}
"""Placeholder colors in matplotlib, replaced by CSS variables in the SVG."""

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text, in the font of the page
    "svg.hashsalt": "fitting-room",  # ids depend on the content only, so that equal reports are equal bytes
    "font.size": 8.5,
    "text.color": _HEX["--soft"],
    "axes.edgecolor": _HEX["--line"],
    "axes.labelcolor": _HEX["--soft"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "xtick.color": _HEX["--soft"],
    "ytick.color": _HEX["--soft"],
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "grid.color": _HEX["--line"],
    "grid.linewidth": 0.8,
}

_TEXT = {"color": _HEX["--soft"], "fontsize": _STYLE["font.size"]}


@dataclass(frozen=True)
class Series:
    """A line of a chart.

    Args:
        points: (x, y) in ascending x.
        color: index of the color, 0..3.
        intervals: (x, low, high) around points.
    """

    points: list[Point]
    color: int = 0
    intervals: tuple[tuple[float, float, float], ...] = ()


@dataclass(frozen=True)
class Chart:
    """A chart: its title, a description for screen readers, the SVG element, and the legend (name, color index)."""

    title: str
    description: str
    svg: str
    legend: tuple[tuple[str, int], ...] = ()


def line_chart(
    title: str, series: Mapping[str, Series], x_title: str = "epoch", mark: tuple[float, str] | None = None
) -> Chart:
    """Draw lines over x, with intervals and an optional vertical line; the y axis starts at 0."""
    from matplotlib.ticker import MaxNLocator

    figure, axes = _figure(3.75, 2.2)
    for number, line in enumerate(series.values()):
        color = _HEX[f"--c{line.color}"]
        x, y = zip(*line.points, strict=True)
        axes.plot(x, y, color=color, linewidth=2.2 if line.color == 0 else 1.4, zorder=3 + number, clip_on=False)
        for position, low, high in line.intervals:
            axes.plot(
                (position, position), (low, high), color=color, linewidth=1.2, alpha=0.55, zorder=2, clip_on=False
            )
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
    axes.grid(axis="y")
    axes.set_xlabel(x_title, loc="right")
    if mark is not None:
        axes.axvline(mark[0], color=_HEX["--soft"], linewidth=0.8, linestyle=(0, (3, 3)), clip_on=False)
        low, high = axes.get_xlim()
        right = mark[0] > (low + high) / 2
        axes.annotate(
            mark[1], (mark[0], 1), xycoords=("data", "axes fraction"), xytext=(-4 if right else 4, -6),
            textcoords="offset points", ha="right" if right else "left", va="top", **_TEXT,
        )  # fmt: skip
    legend = tuple((name, line.color) for name, line in reversed(list(series.items())))
    return Chart(title, f"{title} by {x_title}", _svg(figure), legend)


def interval_chart(title: str, values: Mapping[str, Interval], mean: float, limit: float, marked: set[str]) -> Chart:
    """Draw means with intervals, one per line, with the number of rows at the right.

    Args:
        values: label to interval, top down.
        mean: of all rows, drawn as a vertical line.
        limit: end of the x axis, the same for charts that are read together; the axis starts at 0.
        marked: labels to highlight.
    """
    from matplotlib.ticker import MaxNLocator

    figure, axes = _figure(3.75, 0.45 + 0.25 * len(values))
    for row, (label, interval) in enumerate(values.items()):
        color = _HEX["--c1" if label in marked else "--c0"]
        if interval.low is not None and interval.high is not None:
            axes.plot((interval.low, interval.high), (row, row), color=color, linewidth=2.2, alpha=0.55, clip_on=False)
        axes.plot([interval.mean], [row], "o", color=color, markersize=5.5, clip_on=False)
        axes.annotate(
            f"{interval.rows}", (1, row), xycoords=("axes fraction", "data"), xytext=(22, 0),
            textcoords="offset points", ha="right", va="center", **_TEXT,
        )  # fmt: skip
    axes.axvline(mean, color=_HEX["--soft"], linewidth=0.8, linestyle=(0, (3, 3)), clip_on=False)
    axes.set_xlim(0, limit * 1.03)
    axes.set_ylim(len(values) - 0.5, -0.5)
    axes.set_yticks(range(len(values)), list(values))
    for label in axes.get_yticklabels():
        label.set_color(_HEX["--c1" if label.get_text() in marked else "--ink"])
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4))
    axes.grid(axis="x")
    axes.spines["bottom"].set_visible(False)
    return Chart(title, f"L1 inside the garment by {title.lower()}", _svg(figure))


def _figure(width: float, height: float) -> tuple[Any, Any]:
    """Return a figure of this size in inches, and its axes."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE):
        figure = Figure((width, height), layout="constrained")
        axes = figure.add_subplot()
    axes.set_axisbelow(True)
    for line in (*axes.get_xgridlines(), *axes.get_ygridlines()):
        line.set_clip_on(False)
    return figure, axes


def _svg(figure: Any) -> str:
    """Return the figure as an SVG element that scales to its container and uses the page's font and colors."""
    import matplotlib as mpl

    file = io.StringIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' xmlns(?::xlink)?="[^"]*"', "", svg).replace("xlink:href", "href")
    svg = re.sub(r' (?:width|height)="[\d.]+pt"', "", svg)
    svg = re.sub(r' id="\w*(?:figure|axes|axis|patch|line2d|text|tick)\w*"| id="matplotlib[^"]*"', "", svg)
    svg = re.sub(r"font-family: [^;]*;", "font-family: inherit;", svg)
    for name, color in _HEX.items():
        svg = svg.replace(color, f"var({name})")
    return re.sub(r"\s*\n\s*", " ", svg).strip()
