"""Scoring plain arrays, and the table of numbers with its reasons for what is missing."""

from __future__ import annotations

import numpy as np
import pytest

from tryon.categories import Category
from tryon.evaluation.availability import NO_GARMENT, NO_TRUTH, Opened
from tryon.evaluation.scores import Scores, metric_keys, score_pairs, score_set
from tryon.evaluation.table import compared_rows, new_reasons, setting_table, unavailable_list
from tryon.metrics import METRICS
from tryon.metrics.l1 import l1
from tryon.metrics.metric import Pictures, Regions, Rows

OPENED = Opened({"l1": l1}, {name: "not here" for name in METRICS if name != "l1"})
UPPER, LOWER = Category.UPPER_BODY, Category.LOWER_BODY


def _pictures(level: int, count: int = 2) -> Pictures:
    return np.full((count, 8, 6, 3), level, np.uint8)


def test_pairs_are_scored_over_the_picture_and_inside_the_garment() -> None:
    result = _pictures(0)
    result[:, 4:] = 51
    garment = np.zeros((2, 8, 6), bool)
    garment[:, 4:, :3] = True
    numbers = score_pairs({"l1": l1}, result, _pictures(0), garment)
    assert list(numbers) == ["l1", "l1_garment"]
    np.testing.assert_allclose(numbers["l1"], 0.1)
    np.testing.assert_allclose(numbers["l1_garment"], 0.2)


def test_metrics_that_share_features_extract_them_once() -> None:
    calls = []

    def features(results: Pictures, people: Pictures, regions: Regions) -> Rows:
        calls.append(len(results))
        return {"picture": np.zeros((len(results), 2, 4))}

    numbers = score_set({"fid": features, "kid": features}, _pictures(0), _pictures(1))
    assert calls == [2]
    assert numbers["fid"] is numbers["kid"]


def test_all_is_the_mean_over_rows_and_not_over_categories() -> None:
    scores = Scores()
    scores.add(UPPER, "model", {"l1": np.array([0.1, 0.2, 0.3]), "l1_garment": np.array([0.0, 0.2, np.nan])})
    scores.add(LOWER, "model", {"l1": np.array([1.0]), "l1_garment": np.array([1.0])})
    reasons = new_reasons()
    table = setting_table(scores, ["model"], {"upper_body": 3, "lower_body": 1}, OPENED, "paired", reasons)
    assert table["upper_body"]["model"]["l1"] == pytest.approx(0.2)
    assert table["all"]["model"]["l1"] == pytest.approx(0.4)
    assert table["upper_body"]["model"]["l1_garment"] == pytest.approx(0.1)
    assert table["all"]["model"]["l1_garment"] == pytest.approx(0.4)


def test_rows_that_could_not_be_compared_are_counted() -> None:
    scores = Scores()
    scores.add(UPPER, "model", {"l1_garment": np.array([0.1, np.nan, 0.2])})
    told = compared_rows(scores, "model")
    assert told["upper_body"] == told["all"] == {"picture": 3, "garment": 2}
    assert told["dresses"] == {"picture": 0, "garment": 0}


def test_what_is_missing_is_null_with_its_reason() -> None:
    scores = Scores()
    scores.add(UPPER, "model", {"l1": np.array([0.1]), "l1_garment": np.array([np.nan])})
    reasons = new_reasons()
    table = setting_table(scores, ["model"], {"upper_body": 1, "lower_body": 2}, OPENED, "unpaired", reasons)
    assert table["upper_body"]["model"] | {"l1": None} == dict.fromkeys(metric_keys())
    told = {(one["metric"], one["reason"]): one["where"] for one in unavailable_list(reasons, places=4)}
    assert told["ssim", "not here"] == "everywhere"
    assert told["l1_garment", NO_GARMENT] == "unpaired upper_body, unpaired all"
    assert told["l1", NO_TRUTH] == "unpaired lower_body"
    assert told["l1", "there are no test rows"] == "unpaired dresses"


def test_too_few_pictures_make_a_set_metric_unavailable() -> None:
    opened = Opened({"fid": lambda *args: {}}, {})
    scores = Scores()
    scores.add(UPPER, "model", {"fid": np.zeros((999, 2, 4))})
    reasons = new_reasons()
    table = setting_table(scores, ["model"], {"upper_body": 999}, opened, "paired", reasons)
    assert table["upper_body"]["model"]["fid"] is None
    assert reasons["fid", "it needs at least 1000 pictures"] == ["paired upper_body", "paired all"]


def test_every_key_belongs_to_a_metric_and_only_regional_ones_have_a_garment_key() -> None:
    keys = metric_keys()
    assert set(keys.values()) == set(METRICS)
    assert {key for key in keys if key.endswith("_garment")} == {"ssim_garment", "psnr_garment", "l1_garment"}
