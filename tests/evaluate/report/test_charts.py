"""Tests of the SVG charts."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from tryon.evaluate.report.charts import Chart, Series, interval_chart, line_chart
from tryon.scoring.bootstrap import Interval


def lines() -> Chart:
    series = {"a": Series([(0, 3.0), (1, 1.0), (2, 0.5)], 0, ((1, 0.8, 1.2),)), "b": Series([(0, 2.0), (2, 1.0)], 1)}
    return line_chart("loss", series, mark=(2, "best: epoch 2"))


def intervals() -> Chart:
    values = {"short": Interval(0.1, 0.08, 0.12, 30), "long": Interval(0.2, None, None, 3)}
    return interval_chart("Sleeve", values, 0.12, 0.2, {"long"})


def texts(chart: Chart) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(chart.svg).iter() if element.tag.endswith("text")]


def test_charts_are_well_formed_scalable_and_use_page_colors() -> None:
    for chart in (lines(), intervals()):
        root = ElementTree.fromstring(chart.svg)
        assert root.get("viewBox")
        assert root.get("width") is None
        assert not re.search(r"#[0-9a-f]{6}|url\(|<style|<metadata", chart.svg)
        assert "var(--c0)" in chart.svg
        assert "var(--c1)" in chart.svg


def test_charts_are_deterministic() -> None:
    assert lines() == lines()
    assert intervals() == intervals()


def test_axes_marks_and_legend_are_labelled() -> None:
    chart = lines()
    assert {"epoch", "0", "1", "2", "best: epoch 2"} <= set(texts(chart))
    assert chart.legend == (("b", 1), ("a", 0))
    assert {"short", "long", "30", "3"} <= set(texts(intervals()))
