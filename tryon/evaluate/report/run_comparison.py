"""Compare this run with a baseline run: validation curves and scores pair by pair."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tryon.errors import MissingInputError, TryOnError
from tryon.evaluate.report.charts import Chart, Series, line_chart
from tryon.evaluate.report.training_curves import read_curve
from tryon.scoring.compare import PRIMARY_METRIC, compare, comparison_to_dict
from tryon.scoring.saved_scores import ScoredRun, read_runs
from tryon.training.checkpoint import HistoryRow
from tryon.training.training_log import read_history

FILES = ("evaluation/metrics.json", "evaluation/scores.parquet", "checkpoints/history.csv")
"""Files of a baseline run, the same as `tryon.pipeline.external_inputs.BASELINE_FILES`."""

CURRENT, BASELINE = "This run", "Baseline run"


@dataclass(frozen=True)
class BaselineRun:
    """Evaluation and training history of the baseline run."""

    runs: list[ScoredRun]
    history: list[HistoryRow]


@dataclass(frozen=True)
class RunComparison:
    """Comparison with the baseline run, for the report.

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
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise MissingInputError(
            f"baseline run {folder} is incomplete: {', '.join(missing)} not found (evaluate.baseline_run)",
            hint="Name a folder with evaluation/ and checkpoints/ of a finished run, or null.",
        )
    return BaselineRun(read_runs(folder / "evaluation"), read_history(folder / "checkpoints" / "history.csv"))


def compare_with_baseline(runs: list[ScoredRun], history: list[HistoryRow], baseline: BaselineRun) -> RunComparison:
    """Compare this run with the baseline run, listing what cannot be compared and why."""
    try:
        content = comparison_to_dict(compare(runs, baseline.runs))
        content["metrics"] = [each for each in content["metrics"] if each["metric"] == PRIMARY_METRIC]
    except TryOnError as error:
        content = {"skipped": [str(error)]}
    current, reference = (read_curve(rows, "val_l1") for rows in (history, baseline.history))
    charts = []
    if current and reference:
        curves = {CURRENT: Series(current), BASELINE: Series(reference, 1)}
        charts = [line_chart("Validation L1 inside the garment", curves)]
    return RunComparison(content, charts)
