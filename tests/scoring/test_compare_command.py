"""Tests of `tryon compare`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tryon.categories import Category
from tryon.cli import main
from tryon.runtime.atomic_files import write_json
from tryon.scoring.row_scores import RowScores


def _evaluation(folder: Path, error: float, size: str = "64x48") -> Path:
    scores = RowScores()
    for category in Category:
        errors = error + np.linspace(0, 0.1, 20)
        scores.add(
            "paired", "model", category, [f"{category}{row}" for row in range(20)], {"l1_garment": errors, "l1": errors}
        )
    facts: dict[str, Any] = {
        "protocol": "fitting-room",
        "size": size,
        "rows": {str(category): {"n": 20, "regions": "a"} for category in Category},
        "metrics": {"l1": {"settings": "RGB"}},
    }
    means = {group: {"model": {"l1_garment": error, "l1": error}} for group in (*map(str, Category), "all")}
    folder.mkdir()
    scores.write(folder / "scores.parquet")
    write_json(folder / "metrics.json", {"fingerprints": {"paired": facts}, "metrics": {"paired": means}})
    return folder


def test_compare_prints_table_and_verdict_and_writes_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    current, baseline = _evaluation(tmp_path / "current", 0.1), _evaluation(tmp_path / "baseline", 0.2)
    out = tmp_path / "compare.json"
    assert main(["compare", str(current), str(baseline), "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "verdict: better. L1 inside the garment, paired, 60 rows: 0.1500 against 0.2500" in printed
    assert printed.count(" l1_garment ") == 4
    assert max(map(len, printed.split("\nverdict")[0].splitlines())) <= 80
    content = json.loads(out.read_text())
    assert content["verdict"] == "better"
    assert {row["metric"] for row in content["metrics"]} == {"l1", "l1_garment"}
    assert {row["difference"] for row in content["metrics"]} == {-0.1}


def test_compare_reports_differences_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    current, baseline = _evaluation(tmp_path / "current", 0.1), _evaluation(tmp_path / "baseline", 0.2, size="128x96")
    out = tmp_path / "compare.json"
    assert main(["compare", str(current), str(baseline), "--out", str(out)]) == 2
    assert "paired: size: 64x48 and 128x96" in capsys.readouterr().err
    assert not out.exists()


def test_compare_rejects_stage_output_as_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    current = _evaluation(tmp_path / "current", 0.1)
    out = tmp_path / "data" / "evaluation" / "compare.json"
    assert main(["compare", str(current), str(current), "--out", str(out), "--root", str(tmp_path)]) == 2
    assert "--out" in capsys.readouterr().err
