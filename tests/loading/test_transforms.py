"""Bytes become inputs between -1 and 1, hidden where the mask says so, mirrored all together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tryon.errors import TryOnError
from tryon.loading.batch_loader import Batch, collate
from tryon.loading.packed_dataset import PackedDataset
from tryon.loading.transforms import apply_mask, check_finite, denormalize, mirror, normalize, prepare


@pytest.fixture
def batch(subset_file: Path) -> Batch:
    rows = PackedDataset.read(subset_file)
    return collate([replace(rows.sample(index), mirrored=index == 1) for index in range(3)])


def test_bytes_survive_normalizing_and_back() -> None:
    values = torch.arange(256, dtype=torch.uint8)
    floats = normalize(values)
    assert floats[0] == -1
    assert floats[255] == 1
    assert torch.equal(denormalize(floats), values)


def test_denormalize_clamps() -> None:
    assert denormalize(torch.tensor([-3.0, 3.0])).tolist() == [0, 255]


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), float("-inf")])
def test_a_result_that_is_not_finite_names_its_pair(wrong: float) -> None:
    results = torch.zeros(3, 3, 4, 4)
    check_finite(results, ["a", "b", "c"])
    results[1, 2, 3, 3] = wrong
    with pytest.raises(TryOnError, match="result for pairs b: is finite"):
        check_finite(results, ["a", "b", "c"])


def test_hidden_pixels_are_black_and_the_others_untouched() -> None:
    person = torch.rand(2, 3, 4, 4)
    mask = torch.zeros(2, 1, 4, 4, dtype=torch.bool)
    mask[0, 0, 1, 2] = True
    hidden = apply_mask(person, mask)
    assert hidden[0, :, 1, 2].tolist() == [-1, -1, -1]
    assert torch.equal(hidden.masked_select(~mask), person.masked_select(~mask))


def test_mirror_is_an_involution_on_the_chosen_rows() -> None:
    images, which = torch.rand(3, 3, 4, 5), torch.tensor([True, False, True])
    once = mirror(images, which)
    assert torch.equal(once[1], images[1])
    assert torch.equal(once[0], images[0].flip(-1))
    assert torch.equal(mirror(once, which), images)


@pytest.mark.parametrize("which", [[False, False, False], [True, True, True]])
def test_a_batch_of_one_kind_is_mirrored_as_a_mixed_one_is(which: list[bool]) -> None:
    images = torch.rand(3, 3, 4, 5)
    expected = torch.stack([one.flip(-1) if flipped else one for one, flipped in zip(images, which, strict=True)])
    assert torch.equal(mirror(images, torch.tensor(which)), expected)


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
