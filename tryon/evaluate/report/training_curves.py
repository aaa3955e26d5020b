"""How training went: curves from `history.csv` and, in time order, what the same rows looked like after each epoch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from tryon.categories import Category
from tryon.evaluate.report.charts import Chart, line_chart
from tryon.evaluate.report.gallery import ImageArray, data_uri
from tryon.training.checkpoint import HistoryRow
from tryon.training.training_log import best_epoch, read_history

MOST_EPOCHS = 8
"""Epochs shown of a longer training, evenly spaced, the first and the last among them."""

COLUMN_WIDTHS = (128, 176)
"""Smallest and largest width of an embedded column, in pixels."""


@dataclass(frozen=True)
class ImageStrip:
    """Rows of one category in time order: (caption, data URI of a column of images)."""

    category: Category
    columns: list[tuple[str, str]]


@dataclass(frozen=True)
class TrainingCurves:
    """One training stage as the report shows it; empty when nothing was trained."""

    title: str
    charts: list[Chart]
    strips: list[ImageStrip]
    best_epoch: int | None


def read_training_curves(title: str, folder: Path) -> TrainingCurves:
    """Read `history.csv` and `grids/` of a training stage's folder."""
    history = read_history(folder / "history.csv")
    best = best_epoch(history) if history else None
    return TrainingCurves(title, _charts(history, best), _strips(folder / "grids"), best)


def _charts(history: list[HistoryRow], best: int | None) -> list[Chart]:
    loss = _series(history, {"Mean over the epoch": "train_loss"})
    per_category = _series(history, {title_of(category): f"val_l1_{category}" for category in Category})
    validation = per_category if len(per_category) > 1 else {}
    validation |= _series(history, {"All categories" if validation else title_of_only(per_category): "val_l1"})
    charts = []
    if loss:
        charts.append(line_chart("Training loss", loss, {"Mean over the epoch": 0}))
    if validation:
        colors = {name: number for number, name in enumerate(reversed(validation))}
        charts.append(
            line_chart(
                "Validation L1 inside the garment",
                validation,
                colors,
                mark=None if best is None else (best, f"best: epoch {best}"),
            )
        )
    return charts


def title_of(name: str) -> str:
    """`upper_body` as people write it."""
    return name.replace("_", " ").capitalize()


def title_of_only(series: dict[str, list[tuple[float, float]]]) -> str:
    """Name of the only category of a training, or of all rows."""
    return next(iter(series), "All categories")


def _series(history: list[HistoryRow], columns: dict[str, str]) -> dict[str, list[tuple[float, float]]]:
    found = {
        name: [
            (epoch, value)
            for row in history
            if (epoch := row.get("epoch")) is not None and (value := row.get(column)) is not None
        ]
        for name, column in columns.items()
    }
    return {name: points for name, points in found.items() if len(points) > 1}


def _strips(folder: Path) -> list[ImageStrip]:
    strips = []
    for category in Category:
        grids = {
            int(match[1]): path
            for path in sorted(folder.glob(f"epoch_*_{category}.png"))
            if (match := re.match(r"epoch_(\d+)_", path.name))
        }
        if grids:
            strips.append(
                ImageStrip(category, _columns({epoch: grids[epoch] for epoch in evenly_spaced(sorted(grids))}))
            )
    return strips


def evenly_spaced(epochs: list[int], most: int = MOST_EPOCHS) -> list[int]:
    """At most `most` of the epochs, evenly spaced, ends included."""
    if len(epochs) <= most:
        return epochs
    return [epochs[round(place * (len(epochs) - 1) / (most - 1))] for place in range(most)]


def _columns(grids: dict[int, Path]) -> list[tuple[str, str]]:
    """A grid's line is person, garment, agnostic person, result: its quarters are columns, of which only the last
    changes from epoch to epoch."""
    images = {epoch: _read(path) for epoch, path in grids.items()}
    first = next(iter(images.values()))
    columns = {"person": _quarter(first, 0), "garment": _quarter(first, 1)}
    columns |= {f"epoch {epoch}": _quarter(image, 3) for epoch, image in images.items()}
    return [(caption, data_uri(image, COLUMN_WIDTHS)) for caption, image in columns.items()]


def _quarter(grid: ImageArray, number: int) -> ImageArray:
    width = grid.shape[1] // 4
    return grid[:, number * width : (number + 1) * width]


def _read(path: Path) -> ImageArray:
    image = cv2.imread(str(path))
    assert image is not None, path
    return np.ascontiguousarray(image[..., ::-1]).astype(np.uint8, copy=False)
