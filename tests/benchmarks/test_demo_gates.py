"""The gates of the demo: passed, missed, and told in words when there is nothing to check."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.demo_gates import GATES, main
from tryon.categories import Category

GOOD = {
    setting: {str(c): {gate: 0.9 * most for gate, most in GATES.items()} for c in Category}
    for setting in ("paired", "unpaired")
}


def checked(path: Path, headline: Any, monkeypatch: pytest.MonkeyPatch) -> int:
    path.write_text(json.dumps({"summary": headline}))
    monkeypatch.setattr("sys.argv", ["demo_gates", str(path)])
    return main()


@pytest.mark.parametrize("ratio", [0.5, None])
def test_a_ratio_above_its_gate_or_unknown_misses_it(
    ratio: float | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    headline = json.loads(json.dumps(GOOD))
    assert checked(tmp_path / "metrics.json", headline, monkeypatch) == 0
    headline["unpaired"]["dresses"]["ratio_to_masked_input"] = ratio
    assert checked(tmp_path / "metrics.json", headline, monkeypatch) == 1


def test_a_setting_without_truth_misses_its_gates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checked(tmp_path / "metrics.json", {"paired": GOOD["paired"]}, monkeypatch) == 1
    assert "unpaired" in capsys.readouterr().err


@pytest.mark.parametrize("content", [None, "", "[]", "{}"])
def test_a_file_that_is_absent_or_something_else_is_told(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "metrics.json"
    if content is not None:
        path.write_text(content)
    monkeypatch.setattr("sys.argv", ["demo_gates", str(path)])
    assert main() == 1
    assert "Run `make demo` first" in capsys.readouterr().err
