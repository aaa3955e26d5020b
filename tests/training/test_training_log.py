"""The history file and the best epoch."""

from __future__ import annotations

from pathlib import Path

from tryon.training.checkpoint import HistoryRow
from tryon.training.training_log import best_epoch, epochs_since_improvement, history_csv, read_history


def test_history_csv() -> None:
    text = history_csv([{"epoch": 0, "step": 0, "lr": None, "train_loss": None, "val_l1": 0.123456789}])
    assert text.splitlines() == [
        "epoch,step,lr,train_loss,val_l1,val_l1_upper_body,val_l1_lower_body,val_l1_dresses,"
        "train_l1,train_image_gradient,train_lpips,train_style,train_content,train_flow_smoothness",
        "0,0,,,0.123457,,,,,,,,,",
    ]


def test_round_trip(tmp_path: Path) -> None:
    rows = [{"epoch": 0, "lr": None, "val_l1": 0.5}, {"epoch": 1, "lr": 0.25, "val_l1": None}]
    (tmp_path / "history.csv").write_text(history_csv(rows))
    assert [{key: row[key] for key in rows[0]} for row in read_history(tmp_path / "history.csv")] == rows
    assert read_history(tmp_path / "missing.csv") == []


def test_best_epoch_is_the_earliest_minimum() -> None:
    values = [None, 0.5, 0.25, 0.25]
    assert best_epoch([{"epoch": number, "val_l1": value} for number, value in enumerate(values)]) == 2


def history_of(*values: tuple[float | None, float | None]) -> list[HistoryRow]:
    return [{"epoch": n, "val_l1": both, "val_l1_dresses": dresses} for n, (both, dresses) in enumerate(values)]


def test_improvement_of_any_category_counts() -> None:
    assert epochs_since_improvement(history_of((0.5, 0.5))) == 0
    assert epochs_since_improvement(history_of((0.5, 0.5), (0.5, 0.5), (0.6, 0.5))) == 2
    assert epochs_since_improvement(history_of((0.5, 0.5), (0.6, 0.6), (0.6, 0.4))) == 0  # dresses improved
    assert epochs_since_improvement(history_of((0.5, 0.5), (0.4, 0.6), (0.45, 0.5))) == 1
    assert epochs_since_improvement(history_of((None, None), (None, None))) == 2
