"""Metrics of sets against the people of the same rows, whose features are made once and kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tryon.categories import Category
from tryon.evaluate.predict import read_rows
from tryon.metrics.inception import FeatureExtractor
from tryon.scoring.set_metrics import SetMetrics
from tryon.workspace import Workspace

UPPER, LOWER = Category.UPPER_BODY, Category.LOWER_BODY


@pytest.fixture
def seen() -> list[int]:
    return []


@pytest.fixture
def extract(seen: list[int]) -> FeatureExtractor:
    """Mean colors as features; `seen` counts the images."""

    def network(batch: torch.Tensor) -> torch.Tensor:
        seen.append(len(batch))
        return batch.double().mean((1, 2))

    return FeatureExtractor(network, torch.from_numpy, "cpu", "mean colors")


def test_results_are_compared_with_the_people_of_their_rows(
    workspace: Workspace, extract: FeatureExtractor, seen: list[int], tmp_path: Path
) -> None:
    rows = read_rows(workspace, "paired")
    people = {c: np.stack([rows.indices_of(c).image("person", row) for row in range(3)]) for c in (UPPER, LOWER)}
    for _ in range(2):
        scores = SetMetrics({"fid": extract, "kid": extract})
        scores.add("model", UPPER, people[UPPER])
        scores.add("copy", UPPER, people[UPPER] // 2)
        scores.add("copy", LOWER, people[LOWER][:1])
        numbers = scores.numbers(rows, tmp_path)
        assert numbers["upper_body", "model", "fid"] == pytest.approx(0, abs=1e-3)
        assert numbers["upper_body", "copy", "fid"] > 100
        assert ("lower_body", "copy", "fid") not in numbers  # one image has no spread
        assert {key for category, method, key in numbers if method == "model" and category == "all"} == {
            "fid",
            "kid",
            "kid_std",
        }
        assert np.isnan(numbers["upper_body", "model", "kid_std"])  # three rows are in every subset
    assert sum(seen) == 2 * 7 + 9  # the results of both rounds, the people of one


def test_without_weights_nothing_is_looked_at(workspace: Workspace, tmp_path: Path) -> None:
    scores = SetMetrics({})
    scores.add("model", UPPER, np.zeros((1, 8, 6, 3), np.uint8))
    assert scores.numbers(read_rows(workspace, "paired"), tmp_path / "kept") == {}
    assert not (tmp_path / "kept").exists()
