"""Read result files: `metrics.json` of the evaluate stage and the JSON of `tryon score --out`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tryon.errors import MissingInputError
from tryon.scoring.fingerprint import METRIC_FACTS, REGIONS, ROWS
from tryon.scoring.row_scores import SCORES_FILE, RowScores

METRICS_FILE = "metrics.json"
MODEL = "model"
"""Method name of the evaluated network."""

_HINT = "Name a folder written by `tryon evaluate`, its metrics.json, or a file written by `tryon score --out`."


@dataclass(frozen=True)
class ScoredRun:
    """The scores of one protocol and setting.

    Args:
        fingerprint: see `tryon.scoring.fingerprint`.
        scores: group → key → mean score.
        rows: scores of every row; None when only means were saved.
    """

    protocol: str
    setting: str
    fingerprint: Mapping[str, Any]
    scores: Mapping[str, Mapping[str, Any]]
    rows: RowScores | None = None


def read_runs(path: Path) -> list[ScoredRun]:
    """Read the runs of a result file, or of an evaluation folder with its row scores.

    Raises:
        MissingInputError: a file is absent, damaged or not a result file.
    """
    file = path / METRICS_FILE if path.is_dir() else path
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        _validate(runs_from_content(content))
    except OSError as error:
        raise MissingInputError(f"{file} cannot be read: {error.strerror}", hint=_HINT) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise MissingInputError(f"{file} is not a result file: {reason}", hint=_HINT) from error
    return runs_from_content(content, RowScores.read(path / SCORES_FILE) if path.is_dir() else None)


def runs_from_content(content: Mapping[str, Any], rows: RowScores | None = None) -> list[ScoredRun]:
    """Return the runs in the content of a result file."""
    if "protocols" in content:
        return [
            ScoredRun(name, content["setting"], block["fingerprint"], block["scores"])
            for name, block in content["protocols"].items()
        ]
    return [
        ScoredRun(
            facts["protocol"],
            setting,
            facts,
            {group: methods[MODEL] for group, methods in content["metrics"][setting].items()},
            rows,
        )
        for setting, facts in content["fingerprints"].items()
    ]


def _validate(runs: list[ScoredRun]) -> None:
    """Raise KeyError, TypeError or ValueError for values that are not facts or scores."""
    if not runs:
        raise ValueError("it has no runs")
    for run in runs:
        rows, metrics = run.fingerprint[ROWS], run.fingerprint[METRIC_FACTS]
        blocks = [run.fingerprint, rows, metrics, run.scores]
        for block in (*blocks, *(value for each in blocks[1:] for value in each.values())):
            if not isinstance(block, Mapping):
                raise TypeError(f"{block!r} where facts or scores are expected")
        for facts in rows.values():
            facts[REGIONS]
        for group, scores in run.scores.items():
            for key, value in scores.items():
                if value is not None and not (isinstance(value, int | float) and math.isfinite(value)):
                    raise ValueError(f"{group} {key} is not a number: {value!r}")
