"""Tests of the comparison with a baseline run in the report and `metrics.json`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tryon.config.evaluate import EvaluateSettings
from tryon.errors import MissingInputError
from tryon.evaluate.report.run_comparison import FILES
from tryon.evaluate.stage import evaluate
from tryon.pipeline.external_inputs import BASELINE_FILES
from tryon.runtime.progress import no_progress
from tryon.workspace import Workspace

pytestmark = pytest.mark.slow

SETTINGS = EvaluateSettings(
    accelerator="cpu", batch_size=2, num_gallery_samples=1, num_robustness_samples=0, baseline_run="baseline"
)


def _copy_as_baseline(evaluated: Workspace, root: Path) -> Path:
    for name in ("evaluation", "checkpoints"):
        shutil.copytree(evaluated.data / name, root / "baseline" / name)
    return root / "baseline"


def _content(workspace: Workspace) -> dict:
    return json.loads((workspace.evaluation / "metrics.json").read_text())


def test_baseline_files_match_external_inputs() -> None:
    assert FILES == BASELINE_FILES


def test_report_shows_comparison_and_both_curves(workspace: Workspace, evaluated: Workspace) -> None:
    _copy_as_baseline(evaluated, workspace.root)
    evaluate(SETTINGS, 7, workspace, no_progress)
    comparison = _content(workspace)["baseline_comparison"]
    assert comparison["verdict"] == "no difference"
    assert {row["metric"] for row in comparison["metrics"]} == {"l1_garment"}
    page = (workspace.evaluation / "report.html").read_text()
    section = page[page.index('<section id="comparison">') : page.index('<section id="masks">')]
    assert "Verdict on this run: no difference." in section
    assert "Baseline run</li>" in section
    assert section.count("<svg") == 1
    assert str(workspace.root) not in page


def test_lists_skipped_comparisons_with_reason(workspace: Workspace, evaluated: Workspace) -> None:
    metrics = _copy_as_baseline(evaluated, workspace.root) / "evaluation" / "metrics.json"
    content = json.loads(metrics.read_text())
    for facts in content["fingerprints"].values():
        facts["code"] = "another"
    metrics.write_text(json.dumps(content))
    evaluate(SETTINGS, 7, workspace, no_progress)
    comparison = _content(workspace)["baseline_comparison"]
    assert set(comparison) == {"skipped"}
    assert "paired: code: " in comparison["skipped"][0]
    assert "Not compared: " in (workspace.evaluation / "report.html").read_text()


def test_rejects_incomplete_baseline_run(workspace: Workspace, evaluated: Workspace) -> None:
    baseline = _copy_as_baseline(evaluated, workspace.root)
    (baseline / "evaluation" / "scores.parquet").unlink()
    (baseline / "checkpoints" / "history.csv").unlink()
    with pytest.raises(MissingInputError) as caught:
        evaluate(SETTINGS, 7, workspace, no_progress)
    assert "evaluation/scores.parquet, checkpoints/history.csv" in caught.value.problem
    assert not workspace.evaluation.exists()


def test_no_comparison_without_baseline_run(evaluated: Workspace) -> None:
    assert _content(evaluated)["baseline_comparison"] == {}
    assert "Comparison with baseline run" not in (evaluated.evaluation / "report.html").read_text()
