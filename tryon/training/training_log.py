"""Training history as CSV, one row per epoch, without timestamps so that equal runs give equal files."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from tryon.categories import Category
from tryon.training.checkpoint import HistoryRow

VALIDATION_COLUMNS = ("val_l1", *(f"val_l1_{category}" for category in Category))
"""Validation L1 inside the garment, over all rows and per category."""

LOSS_TERMS = ("l1", "image_gradient", "lpips", "style", "content", "flow_smoothness")
"""Loss terms by their names in `params.yaml`."""

TERM_COLUMNS = tuple(f"train_{term}" for term in LOSS_TERMS)

COLUMNS = ("epoch", "step", "lr", "train_loss", *VALIDATION_COLUMNS, *TERM_COLUMNS)
"""`lr` of the epoch's last step and `train_loss`, the mean over its batches, are empty at epoch 0, the starting point.
`val_l1` (see `tryon.training.validation`) is empty for a category without validation rows. The weighted terms add up
to `train_loss`; terms without a weight are empty."""


def history_csv(history: Sequence[HistoryRow]) -> str:
    """Format the history as CSV with a header and six significant digits."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(row.get(column)) for column in COLUMNS] for row in history)
    return stream.getvalue()


def read_history(path: Path) -> list[HistoryRow]:
    """Read the output of `history_csv`, empty cells as None; a missing file has no rows."""
    if not path.is_file():
        return []
    with path.open(newline="") as stream:
        return [{key: float(value) if value else None for key, value in row.items()} for row in csv.DictReader(stream)]


def best_epoch(history: Sequence[HistoryRow]) -> int:
    """Return the epoch with the smallest validation L1, the earliest of equals."""
    return int(min(history, key=lambda row: _number(row["val_l1"]))["epoch"] or 0)


def epochs_since_improvement(history: Sequence[HistoryRow]) -> int:
    """Count the epochs since the validation L1, overall or of a category, last improved."""
    best = {column: float("inf") for column in VALIDATION_COLUMNS}
    since = 0
    for row in history:
        improved = [column for column in VALIDATION_COLUMNS if _number(row.get(column)) < best[column]]
        best |= {column: _number(row.get(column)) for column in improved}
        since = 0 if improved else since + 1
    return since


def _number(value: float | int | None) -> float:
    return float("inf") if value is None else value


def _cell(value: float | int | None) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
