"""Tests of printed tables and notes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tryon.runtime.stage_result import Cell
from tryon.scoring.compare import Comparison, MetricComparison
from tryon.scoring.console_tables import WIDE, print_comparison, print_scores, region_rows, score_notes, score_rows


def content(scores: Mapping[str, float | None], by_person: int | None = None) -> dict[str, Any]:
    block = {
        "scores": {"dresses": {"n": 7, **scores}},
        "unavailable": [],
        "warnings": [],
        "deviations": [],
        "fingerprint": {"metrics": {}},
        "short": "01234567",
    }
    results = {} if by_person is None else {"by_person": by_person}
    return {"protocols": {"catvton": block}, "results": results}


@pytest.mark.parametrize(
    ("scores", "cell"),
    [
        ({"kid": 1.2341, "kid_std": 0.05642}, "1.234 ± 0.056"),
        ({"kid": 0.0, "kid_std": 0.0}, "0 ± 0"),
        ({"kid": 1.2341, "kid_std": None}, 1.2341),
        ({"kid": 1.2341}, 1.2341),
        ({"kid": None, "kid_std": None}, None),
    ],
)
def test_kid_cell_includes_standard_deviation(scores: dict[str, float | None], cell: Cell) -> None:
    (row,) = score_rows(content(scores), WIDE)
    assert row["KID"] == cell
    (row,) = score_rows(content(scores), WIDE - 1)
    assert row["KID"] == scores["kid"]


def test_widest_table_fits_the_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("ssim", "ms_ssim", "l1", "lpips", "kid", "kid_std")
    full = content(dict.fromkeys(names, 0.00123456) | {"psnr": 22.123, "fid": 123.456})
    scores = full["protocols"]["catvton"]["scores"]["dresses"] | {"ssim": 0.91234, "ms_ssim": 0.91234, "n": 5400}
    full["protocols"] = {"fitting-room": full["protocols"]["catvton"] | {"scores": {"upper_body": scores}}}
    for width in (80, WIDE):
        monkeypatch.setenv("COLUMNS", str(width))
        print_scores(full)
        lines = capsys.readouterr().out.splitlines()
        assert max(map(len, lines)) <= width
        assert sum("upper_body" in line for line in lines) == 1
        assert lines[4].startswith("fitting-room: fingerprint")  # one line per row


def test_prints_a_table_of_regions(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("ssim", "ms_ssim", "psnr", "l1", "lpips")
    regions = {f"{name}_{region}": 0.0123456 for region in ("garment", "outside", "neckline") for name in names}
    full = content({"ssim": 0.5, **regions, "l1_neckline": None})
    assert [row["category"] for row in region_rows(full["protocols"]["catvton"])] == ["dresses", "", ""]
    monkeypatch.setenv("COLUMNS", "80")
    print_scores(full)
    lines = capsys.readouterr().out.splitlines()
    assert "catvton, by region" in lines
    (neckline,) = [line for line in lines if "at neckline" in line]
    assert neckline.split() == ["at", "neckline", *["0.01235"] * 3, "–", "0.01235"]
    assert max(map(len, lines)) <= 80
    assert not region_rows(content({"ssim": 0.5})["protocols"]["catvton"])


@pytest.mark.parametrize(("count", "noted"), [(3, True), (0, False), (None, False)])
def test_notes_files_named_by_person(capsys: pytest.CaptureFixture[str], count: int | None, noted: bool) -> None:
    note = "3 files are named by person only; it cannot be checked that they show the pair's garment"
    assert (note in score_notes(content({}, count))) == noted
    print_scores(content({}, count))
    assert (note in capsys.readouterr().out.splitlines()) == noted


def row(category: str, key: str, current: float | None, baseline: float | None) -> MetricComparison:
    return MetricComparison("ladi", "paired", category, key, current, baseline)


def test_lists_metrics_missing_in_both_below_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        row("dresses", "ssim", 0.9, 0.8),
        row("dresses", "lpips", None, 0.1),
        row("dresses", "fid", None, None),
        row("all", "fid", None, None),
    ]
    print_comparison(Comparison(rows, ["ladi paired kid: weights: a and b"]))
    table, below = capsys.readouterr().out.split("not compared: ", 1)
    assert [name in table for name in ("ssim", "lpips", "fid")] == [True, True, False]
    assert below.splitlines() == [
        "ladi paired kid: weights: a and b",
        "not compared: ladi fid: unavailable in both (dresses, all)",
    ]


def test_prints_no_table_if_all_metrics_are_missing(capsys: pytest.CaptureFixture[str]) -> None:
    print_comparison(Comparison([row("dresses", "fid", None, None)]))
    assert capsys.readouterr().out.splitlines()[-1] == "not compared: ladi fid: unavailable in both (dresses)"
