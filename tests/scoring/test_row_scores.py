"""Scoring plain arrays, the numbers of every row, and the table of their means with reasons for what is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tryon.categories import Category
from tryon.errors import MissingInputError
from tryon.evaluate.metrics_table import (
    SettingScores,
    caution_list,
    collect_warnings,
    compared_rows,
    new_reasons,
    setting_table,
    unavailable_list,
)
from tryon.manifest import read_table
from tryon.metrics import METRICS
from tryon.metrics.image_pair import ImageBatch
from tryon.metrics.inception import FeatureExtractor
from tryon.metrics.l1 import l1
from tryon.metrics.pairwise import pair_keys
from tryon.metrics.regions import NECKLINE, REGIONS
from tryon.scoring.metric_availability import EMPTY, NO_GARMENT, NO_SPREAD, NO_TRUTH, AvailableMetrics
from tryon.scoring.row_scores import SCORES, RowScores, metric_keys
from tryon.scoring.set_metrics import SetMetrics

OPENED = AvailableMetrics({"l1": l1}, {name: "not here" for name in METRICS if name != "l1"})
UPPER, LOWER = Category.UPPER_BODY, Category.LOWER_BODY


def _images(level: int, count: int = 2) -> ImageBatch:
    return np.full((count, 8, 6, 3), level, np.uint8)


def _scores(**by_category: dict[str, list[float]]) -> RowScores:
    scores = RowScores()
    for category, numbers in by_category.items():
        count = len(next(iter(numbers.values())))
        pairs = [f"{category}{row}" for row in range(count)]
        scores.add("paired", "model", category, pairs, {key: np.array(own) for key, own in numbers.items()})
    return scores


def _measured(scores: RowScores, opened: AvailableMetrics = OPENED, **rows: int) -> SettingScores:
    return SettingScores("paired", scores, {}, opened, rows)


def test_rows_are_kept_in_the_order_of_the_table_and_come_back_from_the_file(tmp_path: Path) -> None:
    scores = RowScores()
    for batch in range(2):  # methods take turns, as they do in the stage
        for method in ("model", "copy"):
            numbers = {"l1": np.array([batch, np.nan]), "ssim_neckline": np.array([0.5, method == "copy"])}
            scores.add("paired", method, UPPER, [f"{batch}a", f"{batch}b"], numbers)
    scores.add("unpaired", "model", LOWER, ["c"], {})
    assert scores.pair_ids("paired", "copy") == ["0a", "0b", "1a", "1b"]
    assert scores.values("paired", "copy", UPPER, "ssim_neckline").tolist() == [0.5, 1, 0.5, 1]
    path = tmp_path / "scores.parquet"
    scores.write(path)
    again = RowScores.read(path)
    for setting, method in (("paired", "model"), ("paired", "copy"), ("unpaired", "model")):
        assert again.pair_ids(setting, method) == scores.pair_ids(setting, method)
        np.testing.assert_array_equal(again.matrix(setting, method), scores.matrix(setting, method))
    assert again.table() == scores.table()
    table = read_table(path, SCORES)
    assert table.column_names == ["setting", "method", "category", "pair_id", *pair_keys()]
    assert table.column("l1").to_pylist() == [0, None, 1, None, 0, None, 1, None, None]
    with pytest.raises(MissingInputError, match="tryon evaluate"):
        RowScores.read(tmp_path / "absent.parquet")


def test_no_rows_are_a_table_too(tmp_path: Path) -> None:
    RowScores().write(tmp_path / "scores.parquet")
    assert RowScores.read(tmp_path / "scores.parquet").matrix("paired", "model").shape == (0, len(pair_keys()))


def _extractor(calls: list[int]) -> FeatureExtractor:
    import torch

    def network(batch: torch.Tensor) -> torch.Tensor:
        calls.append(len(batch))
        return batch.double().mean((1, 2))

    return FeatureExtractor(network, torch.from_numpy, "cpu", "mean colors")


def test_metrics_that_share_features_extract_them_once() -> None:
    calls: list[int] = []
    extract = _extractor(calls)
    SetMetrics({"fid": extract, "kid": extract}).add("model", UPPER, _images(0))
    assert calls == [2]


def test_all_is_the_mean_over_rows_and_not_over_categories() -> None:
    scores = _scores(
        upper_body={"l1": [0.1, 0.2, 0.3], "l1_garment": [0.0, 0.2, np.nan]},
        lower_body={"l1": [1.0], "l1_garment": [1.0]},
    )
    table = setting_table(_measured(scores, upper_body=3, lower_body=1), ["model"], new_reasons())
    assert table["upper_body"]["model"]["l1"] == pytest.approx(0.2)
    assert table["all"]["model"]["l1"] == pytest.approx(0.4)
    assert table["upper_body"]["model"]["l1_garment"] == pytest.approx(0.1)
    assert table["all"]["model"]["l1_garment"] == pytest.approx(0.4)


def test_rows_that_could_not_be_compared_are_counted() -> None:
    told = compared_rows(
        _scores(upper_body={"l1": [0.1, 0.1, 0.1], "l1_garment": [0.1, np.nan, 0.2]}), "paired", "model"
    )
    assert told["upper_body"] == told["all"] == {"image": 3, "garment": 2}
    assert told["dresses"] == {"image": 0, "garment": 0}


def test_what_is_missing_is_null_with_its_reason() -> None:
    scores = _scores(
        upper_body={"l1": [0.1], "l1_garment": [np.nan], "l1_outside": [0.2]}, lower_body={"l1": [np.nan, np.nan]}
    )
    reasons = new_reasons()
    table = setting_table(_measured(scores, upper_body=1, lower_body=2), ["model"], reasons)
    numbers = table["upper_body"]["model"]
    assert numbers | {"l1": None, "l1_outside": None} == dict.fromkeys(metric_keys())
    told = {(one["metric"], one["reason"]): one["where"] for one in unavailable_list(reasons, places=4)}
    assert told["ssim", "not here"] == "everywhere"
    assert told["l1_garment", NO_GARMENT] == "paired upper_body, paired all"
    assert told["l1_neckline", EMPTY[NECKLINE]] == "paired upper_body, paired all"
    assert told["l1", NO_TRUTH] == "paired lower_body"
    assert told["l1", "there are no test rows"] == "paired dresses"


def _of_set(count: int, sets: dict[tuple[str, str, str], float]) -> SettingScores:
    return SettingScores(
        "paired", RowScores(), sets, AvailableMetrics({}, {}, {"kid": _extractor([])}), {"upper_body": count}
    )


def test_numbers_of_few_images_carry_a_warning() -> None:
    sets = {("upper_body", "model", "kid"): 0.25, ("upper_body", "model", "kid_std"): float("nan")}
    reasons, measured = new_reasons(), _of_set(999, sets)
    numbers = setting_table(measured, ["model"], reasons)["upper_body"]["model"]
    assert numbers["kid"] == 0.25
    assert numbers["kid_std"] is None
    assert reasons["kid_std", NO_SPREAD] == ["paired upper_body", "paired all"]
    cautions = new_reasons()
    collect_warnings(measured, cautions)
    (told,) = caution_list(cautions, places=4)
    assert told["metric"] == "kid"
    assert told["where"] == "paired upper_body, paired all"
    assert told["warning"].startswith("999 images; with fewer than 1,000 ")
    cautions.clear()
    collect_warnings(_of_set(1000, sets), cautions)
    assert not cautions


def test_every_key_belongs_to_a_metric_and_pairwise_ones_have_every_region() -> None:
    keys = metric_keys()
    assert set(keys.values()) == set(METRICS)
    pairwise = [name for name, metric in METRICS.items() if metric.pairwise]
    assert pairwise == ["ssim", "ms_ssim", "psnr", "l1", "lpips", "lpips_vgg", "lpips_squeeze"]
    ends = [f"_{region}" if words else "" for region, words in REGIONS.items()]
    assert {key for key in keys if keys[key] in pairwise} == {name + end for name in pairwise for end in ends}
    assert [key for key in keys if key.startswith("kid")] == ["kid", "kid_std", "kid_clean", "kid_clean_std"]
