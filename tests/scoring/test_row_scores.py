"""Tests of row scores, their means, and reasons for missing scores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from tryon.categories import Category
from tryon.errors import MissingInputError
from tryon.manifest import read_table
from tryon.metrics import METRICS
from tryon.metrics.image_pair import ImageBatch
from tryon.metrics.inception import FeatureExtractor
from tryon.metrics.l1 import l1
from tryon.metrics.pairwise import pair_keys
from tryon.metrics.regions import NECKLINE, REGIONS
from tryon.runtime.progress import no_progress
from tryon.scoring.fingerprint import ReferenceHashes
from tryon.scoring.measure import Measurement, ScoringBatch, measure
from tryon.scoring.metric_availability import (
    EMPTY_REGION_REASONS,
    NO_GARMENT,
    NO_ROWS,
    NO_SPREAD,
    NO_TRUTH,
    AvailableMetrics,
)
from tryon.scoring.metrics_table import (
    ground_truth_rows,
    method_table,
    new_notes,
    notes_to_list,
    small_sample_warnings,
)
from tryon.scoring.protocols.fitting_room import EVALUATION
from tryon.scoring.row_scores import SCORES, RowScores
from tryon.workspace import Workspace

AVAILABLE = AvailableMetrics({"l1": l1}, reasons={name: "not here" for name in METRICS if name != "l1"})
KEYS = EVALUATION.keys()
UPPER, LOWER = Category.UPPER_BODY, Category.LOWER_BODY


def _images(level: int, count: int = 2) -> ImageBatch:
    return np.full((count, 8, 6, 3), level, np.uint8)


def _scores(**by_category: dict[str, list[float]]) -> RowScores:
    scores = RowScores()
    for category, columns in by_category.items():
        count = len(next(iter(columns.values())))
        pairs = [f"{category}{row}" for row in range(count)]
        scores.add("paired", "model", category, pairs, {key: np.array(column) for key, column in columns.items()})
    return scores


def _measurement(scores: RowScores, available: AvailableMetrics = AVAILABLE, **rows: int) -> Measurement:
    counts = {category: rows.get(category, 0) for category in Category}
    measurement = Measurement(EVALUATION, "paired", counts, available, scores)
    measurement.references[UPPER] = ReferenceHashes({"a"}, {}, {"a": "hash of its regions"})
    return measurement


def test_row_scores_round_trip_in_order(tmp_path: Path) -> None:
    scores = RowScores()
    for batch in range(2):  # methods alternate, as in the stage
        for method in ("model", "masked_input"):
            numbers = {"l1": np.array([batch, np.nan]), "ssim_neckline": np.array([0.5, method == "masked_input"])}
            scores.add("paired", method, UPPER, [f"{batch}a", f"{batch}b"], numbers)
    scores.add("unpaired", "model", LOWER, ["c"], {})
    assert scores.pair_ids("paired", "masked_input") == ["0a", "0b", "1a", "1b"]
    assert scores.values("paired", "masked_input", UPPER, "ssim_neckline").tolist() == [0.5, 1, 0.5, 1]
    path = tmp_path / "scores.parquet"
    scores.write(path)
    loaded = RowScores.read(path)
    for setting, method in (("paired", "model"), ("paired", "masked_input"), ("unpaired", "model")):
        assert loaded.pair_ids(setting, method) == scores.pair_ids(setting, method)
        np.testing.assert_array_equal(loaded.matrix(setting, method), scores.matrix(setting, method))
    assert loaded.table() == scores.table()
    table = read_table(path, SCORES)
    assert table.column_names == ["setting", "method", "category", "pair_id", *pair_keys()]
    assert table.column("l1").to_pylist() == [0, None, 1, None, 0, None, 1, None, None]
    with pytest.raises(MissingInputError, match="tryon evaluate"):
        RowScores.read(tmp_path / "absent.parquet")


def test_empty_row_scores_round_trip(tmp_path: Path) -> None:
    RowScores().write(tmp_path / "scores.parquet")
    assert RowScores.read(tmp_path / "scores.parquet").matrix("paired", "model").shape == (0, len(pair_keys()))


class Source:
    """Scoring source with two upper-body rows and one lower-body row."""

    counts: ClassVar = {UPPER: 2, LOWER: 1}

    def __init__(self, results: int) -> None:
        self.results, self.num_people_reads = results, 0

    def batches(self, category: Category) -> Iterator[ScoringBatch]:
        count = self.counts[category]
        results = {method: _images(self.results + level, count) for method, level in (("a", 0), ("b", 40))}
        pairs = tuple(f"{category}{row}" for row in range(count))
        people = np.arange(count * 144, dtype=np.uint8).reshape(count, 8, 6, 3)
        has_truth = np.zeros(count, np.bool_)
        yield ScoringBatch(category, pairs, results, has_truth, people[:0], {"image": None}, ReferenceHashes(), people)

    def people(self, category: Category) -> Iterator[ImageBatch]:
        self.num_people_reads += 1
        yield from (batch.people for batch in self.batches(category) if batch.people is not None)


def _extractor(calls: list[int]) -> FeatureExtractor:
    import torch

    def network(batch: torch.Tensor) -> torch.Tensor:
        calls.append(len(batch))
        return batch.double().mean((1, 2))

    return FeatureExtractor(network, torch.from_numpy, "cpu", "mean colors")


def test_shared_extractor_runs_once_and_reference_features_are_cached(tmp_path: Path) -> None:
    calls: list[int] = []
    extract = _extractor(calls)
    available = AvailableMetrics(extractors={"fid": extract, "kid": extract})
    values = []
    for _ in range(2):
        source = Source(100)
        measurement = measure(EVALUATION, "paired", source, available, Workspace(tmp_path), no_progress)
        values.append(measurement.sets)
    assert source.num_people_reads == 0  # the second round uses the cache
    assert sum(calls) == 2 * 6 + 3  # results of two methods twice, persons once
    assert values[0].keys() == values[1].keys()
    assert values[0]["upper_body", "a", "fid"] == values[1]["upper_body", "a", "fid"]
    assert ("lower_body", "a", "fid") not in values[0]  # one image has no spread
    assert {key for group, method, key in values[0] if (group, method) == ("all", "b")} == {"fid", "kid", "kid_std"}
    assert np.isnan(values[0]["all", "b", "kid_std"])  # every subset contains all three rows


def test_reads_no_persons_without_set_metrics(tmp_path: Path) -> None:
    source = Source(100)
    assert measure(EVALUATION, "paired", source, AvailableMetrics(), Workspace(tmp_path), no_progress).sets == {}
    assert source.num_people_reads == 0
    assert not list(tmp_path.rglob("*.npy"))


def test_all_is_mean_over_rows_not_categories() -> None:
    scores = _scores(
        upper_body={"l1": [0.1, 0.2, 0.3], "l1_garment": [0.0, 0.2, np.nan]},
        lower_body={"l1": [1.0], "l1_garment": [1.0]},
    )
    table = method_table(_measurement(scores, upper_body=3, lower_body=1), "model", new_notes(), 6)
    assert table["upper_body"]["l1"] == pytest.approx(0.2)
    assert table["all"]["l1"] == pytest.approx(0.4)
    assert table["upper_body"]["l1_garment"] == pytest.approx(0.1)
    assert table["all"]["l1_garment"] == pytest.approx(0.4)


def test_counts_rows_with_ground_truth() -> None:
    scores = _scores(upper_body={"l1": [0.1, 0.1, 0.1], "l1_garment": [0.1, np.nan, 0.2]})
    counts = ground_truth_rows(_measurement(scores, upper_body=3), "model")
    assert counts["upper_body"] == counts["all"] == {"image": 3, "garment": 2}
    assert counts["dresses"] == {"image": 0, "garment": 0}


def test_missing_scores_are_none_with_a_reason() -> None:
    scores = _scores(
        upper_body={"l1": [0.1], "l1_garment": [np.nan], "l1_outside": [0.2]}, lower_body={"l1": [np.nan, np.nan]}
    )
    reasons = new_notes()
    table = method_table(_measurement(scores, upper_body=1, lower_body=2), "model", reasons, 6, "paired ")
    assert table["upper_body"] | {"l1": None, "l1_outside": None} == dict.fromkeys(KEYS)
    where = {(note["metric"], note["reason"]): note["where"] for note in notes_to_list(reasons, 4, "reason")}
    assert where["ssim", "not here"] == "everywhere"
    assert where["l1_garment", NO_GARMENT] == "paired upper_body, paired all"
    assert where["l1_neckline", EMPTY_REGION_REASONS[NECKLINE]] == "paired upper_body, paired all"
    assert where["l1", NO_TRUTH] == "paired lower_body"
    assert where["l1", NO_ROWS] == "paired dresses"


def _set_measurement(count: int, sets: dict[tuple[str, str, str], float]) -> Measurement:
    available = AvailableMetrics(extractors={"kid": _extractor([])})
    return Measurement(EVALUATION, "paired", {UPPER: count}, available, RowScores(), sets)


def test_warns_about_small_samples() -> None:
    sets = {("upper_body", "model", "kid"): 0.25, ("upper_body", "model", "kid_std"): float("nan")}
    reasons, measurement = new_notes(), _set_measurement(999, sets)
    scores = method_table(measurement, "model", reasons, 6)["upper_body"]
    assert scores["kid"] == 0.25
    assert scores["kid_std"] is None
    assert reasons["kid_std", NO_SPREAD] == ["upper_body"]
    warnings = new_notes()
    small_sample_warnings(measurement, warnings)
    (note,) = notes_to_list(warnings, 8, "warning")
    assert (note["metric"], note["where"]) == ("kid", "upper_body (999 images)")
    assert note["warning"].startswith("with fewer than 1,000 images ")
    warnings.clear()
    small_sample_warnings(_set_measurement(1000, sets), warnings)
    assert not warnings


def test_pairwise_metrics_have_keys_of_every_region() -> None:
    names = {key: each.name for key, (each, _) in KEYS.items()}
    assert set(names.values()) == set(METRICS)
    pairwise = [name for name, metric in METRICS.items() if metric.pairwise]
    assert pairwise == ["ssim", "ms_ssim", "psnr", "l1", "lpips", "lpips_vgg", "lpips_squeeze"]
    ends = [f"_{region}" if words else "" for region, words in REGIONS.items()]
    assert {key for key in names if names[key] in pairwise} == {name + end for name in pairwise for end in ends}
    assert [key for key in names if key.startswith("kid")] == ["kid", "kid_std", "kid_clean", "kid_clean_std"]
