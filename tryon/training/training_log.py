"""The course of a run: one row per epoch, as csv. No times in it, so that equal runs give equal files."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from tryon.categories import Category
from tryon.training.checkpoint import HistoryRow

VALIDATION_COLUMNS = ("val_l1", *(f"val_l1_{category}" for category in Category))
"""L1 inside the garment on the validation rows: over all of them, and per category."""

LOSS_TERMS = ("l1", "image_gradient", "lpips", "style", "content", "flow_smoothness")
"""Terms of the loss, by their names in `params.yaml`."""

TERM_COLUMNS = tuple(f"train_{term}" for term in LOSS_TERMS)

COLUMNS = ("epoch", "step", "lr", "train_loss", *VALIDATION_COLUMNS, *TERM_COLUMNS)
"""`lr` is that of the epoch's last step and `train_loss` the mean over its batches, both empty at epoch 0, the starting
point; `val_l1` is explained in `tryon.training.validation`, empty for a category without validation rows. The terms,
weighted, add up to `train_loss`; those without a weight are empty."""


def history_csv(history: Sequence[HistoryRow]) -> str:
    """The rows as csv with a header; numbers with six significant digits."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(row.get(column)) for column in COLUMNS] for row in history)
    return stream.getvalue()


def read_history(path: Path) -> list[HistoryRow]:
    """What `history_csv` wrote, empty cells as None; no rows when there is no file."""
    if not path.is_file():
        return []
    with path.open(newline="") as stream:
        return [{key: float(value) if value else None for key, value in row.items()} for row in csv.DictReader(stream)]


def best_epoch(history: Sequence[HistoryRow]) -> int:
    """The epoch with the smallest validation L1, the earlier one of equals."""
    return int(min(history, key=_validation)["epoch"] or 0)


def epochs_since_improvement(history: Sequence[HistoryRow]) -> int:
    """Epochs since the last one that brought a smaller L1 than all before it, over all rows or in a category."""
    best = {column: float("inf") for column in VALIDATION_COLUMNS}
    since = 0
    for row in history:
        gained = [column for column in VALIDATION_COLUMNS if _number(row.get(column)) < best[column]]
        best |= {column: _number(row.get(column)) for column in gained}
        since = 0 if gained else since + 1
    return since


def _validation(row: HistoryRow) -> float:
    return _number(row["val_l1"])


def _number(value: float | int | None) -> float:
    return float("inf") if value is None else value


def _cell(value: float | int | None) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
