"""Checkpoint against checkpoint: the same rows only, and verdicts that are no louder than the numbers."""

from __future__ import annotations

import json
import shutil
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tryon.categories import Category
from tryon.errors import MissingInputError, TryOnError
from tryon.evaluate.compare import SavedEvaluation, compare, comparison_to_dict, overall_verdict, read_evaluation
from tryon.evaluate.summary import KEY
from tryon.scoring.bootstrap import Verdict
from tryon.scoring.row_scores import ALL, RowScores
from tryon.workspace import Workspace

ROWS = 40


def _facts(setting: str, **other: Any) -> dict[str, Any]:
    numbers = {"l1": {"metric": "l1", "settings": "RGB"}, "ssim": {"metric": "ssim", "settings": "11x11"}}
    return {"protocol": "fitting-room", "setting": setting, "size": "64x48", "rows": {}, "numbers": numbers} | other


def _evaluated(
    offsets: dict[Category, float], settings: tuple[str, ...] = ("paired",), first: int = 0, rows: int = ROWS
) -> SavedEvaluation:
    """Errors of the same rows, shifted by category, with a little noise of their own."""
    scores = RowScores()
    for setting in settings:
        for number, category in enumerate(Category):
            base = np.random.default_rng(number).uniform(0.1, 0.3, rows)
            noise = np.random.default_rng([5, number]).normal(0, 0.01, rows)
            errors = base + offsets.get(category, 0.0) + noise * (category in offsets)
            pairs = [f"{category}{row + first}" for row in range(rows)]
            scores.add(setting, "model", category, pairs, {KEY: errors, "ssim": 1 - errors})
    return SavedEvaluation({setting: _facts(setting) for setting in settings}, scores)


SAME = _evaluated({})


def test_the_same_results_are_no_different() -> None:
    comparison = compare(SAME, _evaluated({}))
    assert {line.verdict for line in comparison.lines} == {Verdict.NO_DIFFERENCE}
    assert {line.interval.mean for line in comparison.lines} == {0.0}
    assert overall_verdict(comparison).verdict is Verdict.NO_DIFFERENCE


def test_smaller_errors_are_better_and_so_is_more_similarity() -> None:
    better = _evaluated(dict.fromkeys(Category, -0.02))
    lines = {(line.category, line.key): line for line in compare(better, SAME).lines}
    assert set(lines) == {(place, key) for place in (*map(str, Category), ALL) for key in (KEY, "ssim")}
    assert {line.verdict for line in lines.values()} == {Verdict.BETTER}
    one = lines[ALL, KEY]
    assert one.interval.rows == 3 * ROWS
    assert one.interval.mean == pytest.approx(one.ours - one.theirs)
    assert overall_verdict(compare(SAME, better)).verdict is Verdict.WORSE


def test_a_gain_does_not_pay_for_a_loss() -> None:
    mixed = {Category.UPPER_BODY: -0.08, Category.LOWER_BODY: -0.08, Category.DRESSES: 0.02}
    judgement = overall_verdict(compare(_evaluated(mixed), SAME))
    assert judgement.verdict is Verdict.WORSE
    assert judgement.reason.endswith("better; worse on dresses")


def test_what_is_only_just_seen_alone_is_not_judged_among_four() -> None:
    noise = np.random.default_rng([5, 2]).normal(0, 0.01, ROWS)
    shift = 2.2 * float(noise.std()) / ROWS**0.5 - float(noise.mean())  # 0 lies 2.2 standard errors away
    comparison = compare(_evaluated({Category.DRESSES: shift}), SAME)
    (line,) = [line for line in comparison.lines if (line.category, line.key) == ("dresses", KEY)]
    assert (line.verdict, line.judged) == (Verdict.WORSE, Verdict.NO_DIFFERENCE)
    assert overall_verdict(comparison).verdict is Verdict.NO_DIFFERENCE


def test_too_few_rows_are_not_judged() -> None:
    few = _evaluated(dict.fromkeys(Category, -0.02), rows=6), _evaluated({}, rows=6)
    comparison = compare(*few)
    assert {line.verdict for line in comparison.lines} == {Verdict.BETTER}
    assert overall_verdict(comparison).verdict is Verdict.NO_DIFFERENCE
    assert "too few rows to judge" in overall_verdict(comparison).reason


def test_equal_checkpoints_are_seldom_called_different() -> None:
    """One pair in twenty may be; with intervals of 95 % it was one in seven."""
    random = np.random.default_rng(1)
    different = 0
    for _ in range(60):
        ours, theirs = RowScores(), RowScores()
        for category in Category:
            pairs = [f"{category}{row}" for row in range(24)]
            for scores in (ours, theirs):
                scores.add("paired", "model", category, pairs, {KEY: random.normal(0.2, 0.02, 24)})
        both = [SavedEvaluation({"paired": _facts("paired")}, scores) for scores in (ours, theirs)]
        different += overall_verdict(compare(*both)).verdict is not Verdict.NO_DIFFERENCE
    assert different <= 5


def test_noise_alone_is_no_difference() -> None:
    judgement = overall_verdict(compare(_evaluated(dict.fromkeys(Category, 0.0)), SAME))
    assert judgement.verdict is Verdict.NO_DIFFERENCE
    assert "95 % interval" in judgement.reason


def test_the_unpaired_setting_decides_where_it_is_known() -> None:
    both = ("paired", "unpaired")
    assert overall_verdict(compare(_evaluated({}, both), _evaluated({}, both))).setting == "unpaired"
    assert overall_verdict(compare(SAME, SAME)).setting == "paired"


def test_what_was_made_another_way_is_refused_and_what_differs_is_told() -> None:
    other = SavedEvaluation({"paired": _facts("paired", size="128x96")}, SAME.scores)
    with pytest.raises(TryOnError, match="paired: size: 64x48 and 128x96"):
        compare(SAME, other)
    with pytest.raises(TryOnError, match="paired: not in the other evaluation"):
        compare(SAME, SavedEvaluation({}, SAME.scores))


def test_other_regions_leave_whole_images_to_compare() -> None:
    one, other = (
        SavedEvaluation({"paired": _facts("paired", rows={"dresses": {"n": ROWS, "regions": name}})}, SAME.scores)
        for name in ("a", "b")
    )
    assert {line.key for line in compare(one, one).lines} == {KEY, "ssim"}
    comparison = compare(one, other)
    assert {line.key for line in comparison.lines} == {"ssim"}
    with pytest.raises(TryOnError, match="where garment and neckline are"):
        overall_verdict(comparison)


def test_a_setting_that_only_the_other_has_is_told() -> None:
    more = _evaluated({}, ("paired", "unpaired"))
    assert compare(SAME, more).refused == ["unpaired: not in the first evaluation"]
    assert compare(more, SAME).refused == ["unpaired: not in the other evaluation"]


def test_a_metric_made_another_way_is_left_out_alone() -> None:
    facts = deepcopy(_facts("paired"))
    facts["numbers"]["ssim"]["settings"] = "7x7"
    comparison = compare(SAME, SavedEvaluation({"paired": facts}, SAME.scores))
    assert {line.key for line in comparison.lines} == {KEY}
    assert comparison.refused == ["paired ssim: settings: 11x11 and 7x7"]
    facts["numbers"].pop("l1")
    with pytest.raises(TryOnError, match="paired l1: "):
        compare(SAME, SavedEvaluation({"paired": facts}, SAME.scores))


def test_other_pairs_are_refused_and_named() -> None:
    with pytest.raises(TryOnError, match=r"pairs only in the first: dresses0, .*pairs only in the second: dresses40"):
        compare(SAME, _evaluated({}, first=1))


def test_the_same_pairs_in_another_order_are_put_in_order() -> None:
    turned = RowScores()
    for category in Category:
        pairs = SAME.scores.pair_ids("paired", "model", category)[::-1]
        numbers = {key: SAME.scores.values("paired", "model", category, key)[::-1] for key in (KEY, "ssim")}
        turned.add("paired", "model", category, pairs, numbers)
    comparison = compare(SAME, SavedEvaluation(SAME.fingerprints, turned))
    assert {(line.interval.mean, line.interval.low, line.interval.high) for line in comparison.lines} == {(0, 0, 0)}


def test_without_the_error_inside_the_garment_there_is_no_verdict() -> None:
    comparison = compare(SAME, SAME)
    comparison.lines[:] = [line for line in comparison.lines if line.key != KEY]
    comparison.refused.append("paired l1: settings: RGB and gray")
    with pytest.raises(TryOnError, match=r"l1_garment[^.]*\n  paired l1: settings: RGB and gray"):
        overall_verdict(comparison)


def test_a_folder_of_the_stage_is_read(evaluated: Workspace, tmp_path: Path) -> None:
    ours = read_evaluation(evaluated.evaluation)
    told = comparison_to_dict(compare(ours, ours))
    assert told["verdict"] == "no difference"
    assert {line["setting"] for line in told["lines"]} == {"paired", "unpaired"}
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    shutil.copytree(evaluated.evaluation, tmp_path / "other")
    (tmp_path / "other" / "scores.parquet").unlink()
    with pytest.raises(MissingInputError, match=r"scores\.parquet.*`tryon evaluate`"):
        read_evaluation(tmp_path / "other")
    for content in ("{}", '{"fingerprints": {}}', '{"fingerprints": {"paired": {"rows": 3, "numbers": {}}}}'):
        (tmp_path / "other" / "metrics.json").write_text(content)
        with pytest.raises(MissingInputError, match="an evaluation with fingerprints"):
            read_evaluation(tmp_path / "other")
    with pytest.raises(MissingInputError, match=r"metrics\.json: can be read"):
        read_evaluation(tmp_path / "nowhere")
