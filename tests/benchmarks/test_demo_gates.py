"""Gates of the demo: passed, failed, and missing or invalid metrics."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.demo_gates import GATES, main
from tryon.categories import Category

GOOD = {
    setting: {str(c): {gate: 0.9 * limit for gate, limit in GATES.items()} for c in Category}
    for setting in ("paired", "unpaired")
}


def check(path: Path, summary: Any, monkeypatch: pytest.MonkeyPatch) -> int:
    path.write_text(json.dumps({"summary": summary}))
    monkeypatch.setattr("sys.argv", ["demo_gates", str(path)])
    return main()


@pytest.mark.parametrize("ratio", [0.5, None])
def test_ratio_above_its_gate_or_unknown_fails(
    ratio: float | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = json.loads(json.dumps(GOOD))
    assert check(tmp_path / "metrics.json", summary, monkeypatch) == 0
    summary["unpaired"]["dresses"]["ratio_to_masked_input"] = ratio
    assert check(tmp_path / "metrics.json", summary, monkeypatch) == 1


def test_setting_without_ground_truth_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(tmp_path / "metrics.json", {"paired": GOOD["paired"]}, monkeypatch) == 1
    assert "unpaired" in capsys.readouterr().err


@pytest.mark.parametrize("content", [None, "", "[]", "{}"])
def test_missing_or_invalid_file_is_reported(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "metrics.json"
    if content is not None:
        path.write_text(content)
    monkeypatch.setattr("sys.argv", ["demo_gates", str(path)])
    assert main() == 1
    assert "Run `make demo` first" in capsys.readouterr().err
