"""Tests of slice assignment, slice scores and worst slices."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tryon.categories import Category
from tryon.evaluate.predict import read_rows
from tryon.evaluate.slices import (
    DIMENSIONS,
    PATTERN_FAMILIES,
    Slices,
    mask_size,
    missing_joints,
    slice_scores,
    slice_values,
    summary_setting,
    summary_slices,
    worst_slices,
)
from tryon.evaluate.summary import PRIMARY_METRIC
from tryon.scoring.bootstrap import Interval
from tryon.scoring.row_scores import ALL, RowScores
from tryon.synthetic.fabrics.patterns import PATTERNS, family
from tryon.workspace import Workspace

MakeRows = Callable[[str, bool], list[dict[str, Any]]]
WriteList = Callable[[Workspace, str, list[dict[str, Any]]], None]


def _scores(errors: dict[Category, list[float]]) -> RowScores:
    scores = RowScores()
    for category, values in errors.items():
        pairs = [f"{category}{number}" for number in range(len(values))]
        scores.add("paired", "model", category, pairs, {PRIMARY_METRIC: np.array(values), "l1": np.array(values) / 2})
    return scores


def _slices(**means: tuple[float, float | None, int]) -> Slices:
    slices = {
        name: {PRIMARY_METRIC: Interval(mean, low, None if low is None else 1.0, rows)}
        for name, (mean, low, rows) in means.items()
    }
    return {"category": {ALL: slices.pop(ALL)}, "worn": slices}


def test_pattern_families_match_synthetic_data_set() -> None:
    assert {pattern: family(pattern) for pattern in PATTERNS} == PATTERN_FAMILIES
    assert set(DIMENSIONS["pattern"].values) == set(PATTERN_FAMILIES.values())


def test_slice_bounds() -> None:
    assert [missing_joints(count) for count in (0, 1, 4, 5, 18)] == ["none", *["1 to 4"] * 2, *["5 and more"] * 2]
    sizes = {0.0: "below 25 %", 0.25: "25 to 40 %", 0.4: "40 to 50 %", 0.5: "above 50 %", 1.0: "above 50 %"}
    assert {fraction: mask_size(fraction) for fraction in sizes} == sizes


def test_assigns_slice_values_and_none_for_unknown(
    workspace: Workspace, make_rows: MakeRows, write_list: WriteList
) -> None:
    rows = make_rows("test_paired", False)
    attributes = {"worn": "skirt", "arm_pose": "hidden", "missing_joints": 6, "pattern": "chevron", "sleeve": "long"}
    rows[4] |= attributes  # the second row of the second category
    write_list(workspace, "test_paired", rows)
    textures = {rows[4]["pair_id"]: "striped"}
    values = slice_values(read_rows(workspace, "paired"), textures)
    assert set(values) == set(DIMENSIONS)
    assert values["category"] == [str(category) for category in Category for _ in range(3)]
    assert {name: column[4] for name, column in values.items()} == {
        "category": "lower_body",
        "worn": "skirt",
        "sleeve": "long",
        "arm_pose": "crossed or hidden",
        "missing_joints": "5 and more",
        "neckline": None,
        "pattern": "striped",
        "texture": "striped",
        "mask_size": "below 25 %",
    }
    optional = [value for name, column in values.items() if name not in ("category", "mask_size") for value in column]
    assert sum(value is not None for value in optional) == 6


def test_slice_means_lie_inside_their_intervals() -> None:
    random = np.random.default_rng(3)
    upper, dresses = random.uniform(0, 1, 20), random.uniform(0, 1, 12)
    scores = _scores({Category.UPPER_BODY: list(upper), Category.DRESSES: list(dresses)})
    sleeves = ["long" if number % 2 else None for number in range(20)] + ["short"] * 12
    values = {"category": ["upper_body"] * 20 + ["dresses"] * 12, "sleeve": sleeves}
    slices = slice_scores(scores, "paired", "model", values, 7)
    assert list(slices["category"]) == ["all", "upper_body", "dresses"]
    assert list(slices["sleeve"]) == ["short", "long"]
    assert set(slices["sleeve"]["long"]) == {PRIMARY_METRIC, "l1"}  # metrics without a score are omitted
    for scored, expected in ((slices["sleeve"]["long"], upper[1::2]), (slices["category"]["dresses"], dresses)):
        assert scored[PRIMARY_METRIC].mean == pytest.approx(expected.mean())
        assert scored[PRIMARY_METRIC].rows == len(expected)
        assert scored[PRIMARY_METRIC].low is not None
        assert scored[PRIMARY_METRIC].high is not None
        assert scored[PRIMARY_METRIC].low < scored[PRIMARY_METRIC].mean < scored[PRIMARY_METRIC].high
    assert slice_scores(scores, "unpaired", "model", {"category": []}, 7) == {}


def test_ranks_worst_slices_by_significance_then_error() -> None:
    slices = _slices(
        all=(0.2, 0.1, 100),
        significant=(0.3, 0.25, 20),
        uncertain=(0.5, 0.1, 20),
        small=(0.9, 0.8, 9),
        good=(0.1, 0.05, 50),
    )
    slices["sleeve"] = {"the same rows": slices["worn"]["significant"]}
    worst = worst_slices(slices)
    assert [(each.value, each.significant) for each in worst] == [("significant", True), ("uncertain", False)]
    assert worst[0].ratio == pytest.approx(1.5)
    assert worst_slices({}) == []


def test_reports_at_most_three_worst_slices() -> None:
    slices = {f"slice {number}": (0.3 + number / 100, None, 20) for number in range(5)}
    assert [each.value for each in worst_slices(_slices(all=(0.2, None, 100), **slices))] == [
        "slice 4",
        "slice 3",
        "slice 2",
    ]


def test_summary_setting_prefers_unpaired_with_ground_truth() -> None:
    known = {"model": _slices(all=(0.2, 0.1, 10))}
    assert summary_setting({"paired": known, "unpaired": known}) == "unpaired"
    assert summary_setting({"paired": known, "unpaired": {"model": {}}}) == "paired"
    assert summary_setting({"paired": {"model": {}}}) is None
    assert summary_slices({"paired": known, "unpaired": {"model": {}}})["paired"]["category"]["all"] == {
        "mean": 0.2, "low": 0.1, "high": 1.0, "rows": 10,
    }  # fmt: skip


def test_stage_writes_slices_consistent_with_metrics(evaluated: Workspace) -> None:
    content = json.loads((evaluated.evaluation / "metrics.json").read_text())
    slices = json.loads((evaluated.evaluation / "slices.json").read_text())
    assert content["worst_slices"] == []  # nine rows are too few for a worst slice
    for setting in ("paired", "unpaired"):
        means = content["slices"][setting]["category"]
        for category in (*map(str, Category), ALL):
            assert means[category]["mean"] == content["metrics"][setting][category]["model"][PRIMARY_METRIC]
            for method in ("model", "masked_input", "mean_color_fill"):
                scores = slices[setting][method]["category"][category]
                for key in ("l1", "ssim_garment", "psnr_outside"):
                    assert scores[key][0] == pytest.approx(content["metrics"][setting][category][method][key], abs=2e-6)
        assert set(slices[setting]["masked_input"]) == {"category"}
        assert "texture" in slices[setting]["model"]
    low, high = (content["slices"]["paired"]["category"]["all"][end] for end in ("low", "high"))
    assert low < content["summary"]["paired"]["all"]["model"] < high
