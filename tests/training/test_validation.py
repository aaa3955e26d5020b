"""Validation scores."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from tryon.categories import Category
from tryon.errors import TryOnError
from tryon.loading.packed_dataset import PackedDataset
from tryon.manifest import PACKED, read_table, table_from_rows, write_table
from tryon.training.validation import garment_l1, validate
from tryon.workspace import Workspace


class Copy(nn.Module):
    """Returns the agnostic person."""

    def forward(self, reference: torch.Tensor, garment: torch.Tensor, agnostic: torch.Tensor) -> torch.Tensor:
        return agnostic


def test_garment_l1_of_equal_and_opposite_images() -> None:
    white, mask = torch.ones(1, 3, 4, 4), torch.ones(1, 1, 4, 4, dtype=torch.bool)
    assert garment_l1(white, white, mask).item() == 0
    assert garment_l1(-white, white, mask).item() == 1
    assert garment_l1(7 * white, white, mask).item() == 0  # clamped


def test_garment_l1_ignores_pixels_outside() -> None:
    person = torch.zeros(1, 3, 4, 4)
    mask = torch.zeros(1, 1, 4, 4, dtype=torch.bool)
    mask[..., :2] = True
    result = person.clone()
    result[..., 2:] = 1
    assert garment_l1(result, person, mask).item() == 0
    result[:, 0, 0, 0] = 0.8
    assert garment_l1(result, person, mask).item() == pytest.approx(0.8 / 2 / 3 / 8)


def test_garment_l1_of_an_empty_garment_is_nan() -> None:
    image = torch.zeros(1, 3, 4, 4)
    assert math.isnan(garment_l1(image, image, torch.zeros(1, 1, 4, 4, dtype=torch.bool)).item())


def test_means_do_not_depend_on_the_batch_size(workspace: Workspace) -> None:
    rows = PackedDataset.read(workspace.subset("val"))
    single, batched = (validate(Copy(), rows, size, torch.device("cpu")) for size in (1, 4))
    assert single == pytest.approx(batched)
    by_category = [single[f"val_l1_{category}"] for category in ("upper_body", "lower_body", "dresses")]
    assert single["val_l1"] == pytest.approx(sum(value or 0 for value in by_category) / 3)


def test_category_without_rows_is_none(workspace: Workspace) -> None:
    rows = PackedDataset.read(workspace.subset("val")).select_category(Category.DRESSES)
    scores = validate(Copy(), rows, 4, torch.device("cpu"))
    assert scores["val_l1_upper_body"] is None
    assert scores["val_l1"] == scores["val_l1_dresses"]


def test_rows_without_a_garment_are_ignored(workspace: Workspace) -> None:
    path = workspace.subset("val")
    records = read_table(path, PACKED).to_pylist()
    complete = validate(Copy(), PackedDataset.read(path), 4, torch.device("cpu"))
    dresses = [record for record in records if record["category"] == "dresses"]
    for record in dresses:
        record["garment_mask"] = bytes(len(record["garment_mask"]))
    write_table(path, table_from_rows(records, PACKED), PACKED)
    scores = validate(Copy(), PackedDataset.read(path), 4, torch.device("cpu"))
    assert scores == complete | {"val_l1": scores["val_l1"], "val_l1_dresses": None}


class Diverged(nn.Module):
    """Returns the agnostic person with one NaN outside the garment."""

    def forward(self, reference: torch.Tensor, garment: torch.Tensor, agnostic: torch.Tensor) -> torch.Tensor:
        result = agnostic.clone()
        result[0, 0, 0, 0] = float("nan")
        return result


def test_non_finite_results_name_their_pair(workspace: Workspace) -> None:
    rows = PackedDataset.read(workspace.subset("val"))
    with pytest.raises(TryOnError, match=f"not finite for pairs {rows.text('pair_id', 0)}"):
        validate(Diverged(), rows, 4, torch.device("cpu"))
