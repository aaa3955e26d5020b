"""Another run put beside this one: its validation curve in the same chart, and the paired comparison with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tryon.errors import MissingInputError, TryOnError
from tryon.evaluate.compare import SavedEvaluation, compare, comparison_to_dict, read_evaluation
from tryon.evaluate.report.charts import Chart, Point, line_chart
from tryon.evaluate.summary import KEY
from tryon.training.checkpoint import HistoryRow
from tryon.training.training_log import read_history

FILES = ("evaluation/metrics.json", "evaluation/scores.parquet", "checkpoints/history.csv")
"""What is read of the other run's folder; `tryon.pipeline.external_inputs.BASELINE_FILES` names the same files."""

OURS, THEIRS = "This run", "The run beside it"


@dataclass(frozen=True)
class BaselineRun:
    """The other run: its evaluation and the course of its training."""

    evaluated: SavedEvaluation
    history: list[HistoryRow]


@dataclass(frozen=True)
class RunComparison:
    """What the report shows of it.

    Args:
        content: of the comparison by the error inside the garment, for `metrics.json`; verdict and lines are absent where
            nothing can be compared.
        charts: both validation curves, none where a run has no more than one epoch.
    """

    content: dict[str, Any]
    charts: list[Chart] = field(default_factory=list)


def load_baseline_run(folder: Path) -> BaselineRun:
    """Read another run's folder, before anything is computed.

    Raises:
        MissingInputError: a file is absent or not what it should be; all absent ones are listed.
    """
    absent = [name for name in FILES if not (folder / name).is_file()]
    if absent:
        remedy = "Name a folder with another finished run's evaluation/ and checkpoints/, or null."
        raise MissingInputError(f"evaluate.baseline_run {folder}", expected="has " + ", ".join(absent), hint=remedy)
    return BaselineRun(read_evaluation(folder / "evaluation"), read_history(folder / "checkpoints" / "history.csv"))


def compare_runs(ours: SavedEvaluation, history: list[HistoryRow], other: BaselineRun) -> RunComparison:
    """Compare this run with the other; what cannot be compared is told, and why."""
    try:
        told = comparison_to_dict(compare(ours, other.evaluated))
        told["lines"] = [line for line in told["lines"] if line["metric"] == KEY]
    except TryOnError as error:
        told = {"not_compared": [str(error)]}
    return RunComparison(told, _charts({OURS: history, THEIRS: other.history}))


def _charts(histories: dict[str, list[HistoryRow]]) -> list[Chart]:
    series = {name: _curve(history) for name, history in histories.items()}
    if min(map(len, series.values())) < 2:
        return []
    return [line_chart("Validation L1 inside the garment", series, {OURS: 0, THEIRS: 1})]


def _curve(history: list[HistoryRow]) -> list[Point]:
    return [
        (epoch, value)
        for row in history
        if (epoch := row.get("epoch")) is not None and (value := row.get("val_l1")) is not None
    ]
