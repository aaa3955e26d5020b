"""Read training curves from `history.csv`, and the sample grids of all epochs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from tryon.categories import Category
from tryon.evaluate.report.charts import Chart, Point, Series, line_chart
from tryon.evaluate.report.gallery import ImageArray, data_uri
from tryon.training.checkpoint import HistoryRow
from tryon.training.training_log import best_epoch, read_history

MAX_EPOCHS = 8
"""Epochs per strip; more are thinned evenly, first and last included."""

COLUMN_WIDTHS = (128, 176)
"""Minimum and maximum width of an embedded column, in pixels."""


@dataclass(frozen=True)
class ImageStrip:
    """The same validation rows of a category after each epoch: (caption, data URI of a column of images)."""

    category: Category
    columns: list[tuple[str, str]]


@dataclass(frozen=True)
class TrainingCurves:
    """One training stage in the report; empty when nothing was trained."""

    title: str
    charts: list[Chart]
    strips: list[ImageStrip]
    best_epoch: int | None


def read_training_curves(title: str, folder: Path) -> TrainingCurves:
    """Read `history.csv` and `grids/` of a training stage's output folder."""
    history = read_history(folder / "history.csv")
    best = best_epoch(history) if history else None
    return TrainingCurves(title, _charts(history, best), _strips(folder / "grids"), best)


def _charts(history: list[HistoryRow], best: int | None) -> list[Chart]:
    charts = []
    if loss := read_curve(history, "train_loss"):
        charts.append(line_chart("Training loss", {"Epoch mean": Series(loss)}))
    curves = {title_of(category): read_curve(history, f"val_l1_{category}") for category in Category}
    curves = {name: points for name, points in curves.items() if points}
    if len(curves) == 1:  # one category was trained, so its curve is that of all rows
        curves = {next(iter(curves)): read_curve(history, "val_l1")}
    else:
        curves["All categories"] = read_curve(history, "val_l1")
    curves = {name: points for name, points in curves.items() if points}
    if curves:
        series = {name: Series(curves[name], color) for color, name in enumerate(reversed(curves))}
        mark = None if best is None else (best, f"best: epoch {best}")
        charts.append(
            line_chart("Validation L1 inside the garment", {name: series[name] for name in curves}, mark=mark)
        )
    return charts


def title_of(name: str) -> str:
    """Return a name for display.

    >>> title_of("upper_body")
    'Upper body'
    """
    return name.replace("_", " ").capitalize()


def read_curve(history: list[HistoryRow], column: str) -> list[Point]:
    """Return (epoch, value) of a column of the history; empty for fewer than two values."""
    points = [
        (epoch, value)
        for row in history
        if (epoch := row.get("epoch")) is not None and (value := row.get(column)) is not None
    ]
    return points if len(points) > 1 else []


def _strips(folder: Path) -> list[ImageStrip]:
    strips = []
    for category in Category:
        grids = {
            int(match[1]): path
            for path in sorted(folder.glob(f"epoch_*_{category}.png"))
            if (match := re.match(r"epoch_(\d+)_", path.name))
        }
        if grids:
            epochs = evenly_spaced(sorted(grids))
            strips.append(ImageStrip(category, _columns({epoch: grids[epoch] for epoch in epochs})))
    return strips


def evenly_spaced(epochs: list[int], max_epochs: int = MAX_EPOCHS) -> list[int]:
    """Return at most `max_epochs` of the epochs, evenly spaced, first and last included."""
    if len(epochs) <= max_epochs:
        return epochs
    return [epochs[round(index * (len(epochs) - 1) / (max_epochs - 1))] for index in range(max_epochs)]


def _columns(grids: dict[int, Path]) -> list[tuple[str, str]]:
    """Split grids into columns: person, garment, agnostic person, result; only the result changes between epochs."""
    columns: dict[str, ImageArray] = {}
    for epoch, path in grids.items():
        grid = cv2.imread(str(path))
        assert grid is not None, path
        grid = np.ascontiguousarray(grid[..., ::-1]).astype(np.uint8, copy=False)
        width = grid.shape[1] // 4
        person, garment, _, result = (grid[:, start : start + width] for start in range(0, 4 * width, width))
        if not columns:
            columns = {"person": person, "garment": garment}
        columns[f"epoch {epoch}"] = result
    return [(caption, data_uri(image, COLUMN_WIDTHS)) for caption, image in columns.items()]
