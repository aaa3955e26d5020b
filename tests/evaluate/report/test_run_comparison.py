"""Another run beside this one, in the report and in `metrics.json`."""

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

SETTINGS = EvaluateSettings(
    accelerator="cpu", batch_size=2, num_gallery_samples=1, num_robustness_samples=0, baseline_run="other"
)


def _copied(evaluated: Workspace, root: Path) -> Path:
    for name in ("evaluation", "checkpoints"):
        shutil.copytree(evaluated.data / name, root / "other" / name)
    return root / "other"


def _content(workspace: Workspace) -> dict:
    return json.loads((workspace.evaluation / "metrics.json").read_text())


def test_baseline_files_match_external_inputs() -> None:
    assert FILES == BASELINE_FILES


def test_report_shows_comparison_and_both_curves(workspace: Workspace, evaluated: Workspace) -> None:
    _copied(evaluated, workspace.root)
    evaluate(SETTINGS, 7, workspace, no_progress)
    told = _content(workspace)["baseline_comparison"]
    assert told["verdict"] == "no difference"
    assert {line["metric"] for line in told["metrics"]} == {"l1_garment"}
    page = (workspace.evaluation / "report.html").read_text()
    section = page[page.index('<section id="comparison">') : page.index('<section id="masks">')]
    assert "Verdict on this run: no difference." in section
    assert "Baseline run</li>" in section
    assert section.count("<svg") == 1
    assert str(workspace.root) not in page


def test_lists_skipped_comparisons_with_reason(workspace: Workspace, evaluated: Workspace) -> None:
    metrics = _copied(evaluated, workspace.root) / "evaluation" / "metrics.json"
    content = json.loads(metrics.read_text())
    for facts in content["fingerprints"].values():
        facts["code"] = "another"
    metrics.write_text(json.dumps(content))
    evaluate(SETTINGS, 7, workspace, no_progress)
    told = _content(workspace)["baseline_comparison"]
    assert set(told) == {"skipped"}
    assert "paired: code: " in told["skipped"][0]
    assert "Not compared: " in (workspace.evaluation / "report.html").read_text()


def test_rejects_incomplete_baseline_run(workspace: Workspace, evaluated: Workspace) -> None:
    other = _copied(evaluated, workspace.root)
    (other / "evaluation" / "scores.parquet").unlink()
    (other / "checkpoints" / "history.csv").unlink()
    with pytest.raises(MissingInputError, match=r"incomplete: evaluation/scores\.parquet, checkpoints/history\.csv"):
        evaluate(SETTINGS, 7, workspace, no_progress)
    assert not workspace.evaluation.exists()


def test_no_comparison_without_baseline_run(evaluated: Workspace) -> None:
    assert _content(evaluated)["baseline_comparison"] == {}
    assert "Comparison with baseline run" not in (evaluated.evaluation / "report.html").read_text()
