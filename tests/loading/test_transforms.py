"""Network inputs: normalized, masked and mirrored consistently."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tryon.errors import TryOnError
from tryon.loading.batch_loader import Batch, collate
from tryon.loading.packed_dataset import PackedDataset
from tryon.loading.transforms import check_finite, denormalize, mask_person, mirror, normalize, prepare


@pytest.fixture
def batch(subset_file: Path) -> Batch:
    rows = PackedDataset.read(subset_file)
    return collate([replace(rows.sample(index), mirrored=index == 1) for index in range(3)])


def test_normalize_round_trip() -> None:
    values = torch.arange(256, dtype=torch.uint8)
    floats = normalize(values)
    assert floats[0] == -1
    assert floats[255] == 1
    assert torch.equal(denormalize(floats), values)


def test_denormalize_clamps() -> None:
    assert denormalize(torch.tensor([-3.0, 3.0])).tolist() == [0, 255]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_non_finite_results_name_their_pair(value: float) -> None:
    results = torch.zeros(3, 3, 4, 4)
    check_finite(results, ["a", "b", "c"])
    results[1, 2, 3, 3] = value
    with pytest.raises(TryOnError, match="not finite for pairs b"):
        check_finite(results, ["a", "b", "c"])


def test_masked_pixels_are_black_and_others_unchanged() -> None:
    person = torch.rand(2, 3, 4, 4)
    mask = torch.zeros(2, 1, 4, 4, dtype=torch.bool)
    mask[0, 0, 1, 2] = True
    agnostic = mask_person(person, mask)
    assert agnostic[0, :, 1, 2].tolist() == [-1, -1, -1]
    assert torch.equal(agnostic.masked_select(~mask), person.masked_select(~mask))


def test_mirror_is_an_involution_on_the_selected_rows() -> None:
    images, selected = torch.rand(3, 3, 4, 5), torch.tensor([True, False, True])
    once = mirror(images, selected)
    assert torch.equal(once[1], images[1])
    assert torch.equal(once[0], images[0].flip(-1))
    assert torch.equal(mirror(once, selected), images)


@pytest.mark.parametrize("selected", [[False, False, False], [True, True, True]])
def test_mirror_of_all_or_no_rows(selected: list[bool]) -> None:
    images = torch.rand(3, 3, 4, 5)
    expected = torch.stack([one.flip(-1) if flipped else one for one, flipped in zip(images, selected, strict=True)])
    assert torch.equal(mirror(images, torch.tensor(selected)), expected)


def test_inputs_are_mirrored_together(batch: Batch) -> None:
    inputs = prepare(batch)
    person = normalize(batch.person[1]).flip(-1)
    mask = batch.mask[1].flip(-1)
    assert torch.equal(inputs.person[1], person)
    assert torch.equal(inputs.garment[1], normalize(batch.garment[1]).flip(-1))
    assert torch.equal(inputs.agnostic[1], person.masked_fill(mask, -1))
    assert torch.equal(inputs.mask[1], mask)
    assert torch.equal(inputs.garment_mask[1], batch.garment_mask[1].flip(-1))


def test_the_reference_is_the_pose_then_the_agnostic_person(batch: Batch) -> None:
    inputs = prepare(batch)
    assert inputs.reference.shape == (3, 6, 32, 16)
    assert torch.equal(inputs.reference[:, :3], normalize(batch.pose))
    assert torch.equal(inputs.reference[:, 3:], inputs.agnostic)
