"""Comparison of this run with a baseline run: validation curves in one chart, and scores pair by pair."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tryon.errors import MissingInputError, TryOnError
from tryon.evaluate.report.charts import Chart, Point, Series, line_chart
from tryon.scoring.compare import KEY, compare, comparison_to_dict
from tryon.scoring.result_files import ScoredRun, read_runs
from tryon.training.checkpoint import HistoryRow
from tryon.training.training_log import read_history

FILES = ("evaluation/metrics.json", "evaluation/scores.parquet", "checkpoints/history.csv")
"""Files read of the baseline run; `tryon.pipeline.external_inputs.BASELINE_FILES` lists the same."""

CURRENT, BASELINE = "This run", "Baseline run"


@dataclass(frozen=True)
class BaselineRun:
    """The baseline run: its evaluation and training history."""

    runs: list[ScoredRun]
    history: list[HistoryRow]


@dataclass(frozen=True)
class RunComparison:
    """What the report shows of the comparison.

    Args:
        content: for `metrics.json`; verdict and metrics are absent where nothing could be compared.
        charts: both validation curves; empty where a run has no more than one epoch.
    """

    content: dict[str, Any]
    charts: list[Chart] = field(default_factory=list)


def load_baseline_run(folder: Path) -> BaselineRun:
    """Read a baseline run, before anything is computed.

    Raises:
        MissingInputError: files are absent (all are listed) or damaged.
    """
    absent = [name for name in FILES if not (folder / name).is_file()]
    if absent:
        raise MissingInputError(
            f"baseline run {folder} is incomplete: {', '.join(absent)} not found (evaluate.baseline_run)",
            hint="Name a folder with evaluation/ and checkpoints/ of a finished run, or null.",
        )
    return BaselineRun(read_runs(folder / "evaluation"), read_history(folder / "checkpoints" / "history.csv"))


def compare_with_baseline(runs: list[ScoredRun], history: list[HistoryRow], baseline: BaselineRun) -> RunComparison:
    """Compare this run with the baseline run; what cannot be compared is listed with the reason."""
    try:
        content = comparison_to_dict(compare(runs, baseline.runs))
        content["metrics"] = [each for each in content["metrics"] if each["metric"] == KEY]
    except TryOnError as error:
        content = {"skipped": [str(error)]}
    curves = {CURRENT: Series(_curve(history)), BASELINE: Series(_curve(baseline.history), 1)}
    charts = []
    if min(len(each.points) for each in curves.values()) > 1:
        charts = [line_chart("Validation L1 inside the garment", curves)]
    return RunComparison(content, charts)


def _curve(history: list[HistoryRow]) -> list[Point]:
    return [
        (epoch, value)
        for row in history
        if (epoch := row.get("epoch")) is not None and (value := row.get("val_l1")) is not None
    ]
