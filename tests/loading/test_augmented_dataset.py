"""Augmentations keep a pair consistent, depend on seed, epoch and row only, and can be switched off."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tryon.config.augmentation import AugmentSettings
from tryon.loading.augmented_dataset import AugmentedDataset
from tryon.loading.batch_loader import collate, load_batches
from tryon.loading.epoch_order import epoch_random
from tryon.loading.packed_dataset import PackedDataset, Sample
from tryon.loading.transforms import prepare

ALL: dict[str, Any] = {
    "color_jitter_prob": 1.0,
    "person_affine_prob": 1.0,
    "garment_affine_prob": 1.0,
    "background_prob": 1.0,
    "mask_dilate_prob": 1.0,
    "mask_dilate_max": 0.1,
}
CHANGED_FIELDS = {
    "color_jitter_prob": {"person", "garment"},
    "person_affine_prob": {"person", "mask", "garment_mask", "keypoints"},
    "garment_affine_prob": {"garment"},
    "background_prob": {"person"},
    "mask_dilate_prob": {"mask"},
}
"""Fields that each augmentation may change."""


@pytest.fixture
def rows(figures_file: Path) -> PackedDataset:
    return PackedDataset.read(figures_file)


def augmented(
    rows: PackedDataset, epoch: int = 1, flip_prob: float = 0.5, seed: int = 7, **settings: Any
) -> AugmentedDataset:
    return AugmentedDataset(rows, flip_prob, AugmentSettings.model_validate(settings), seed, epoch)


def enable(name: str, probability: float = 1.0) -> dict[str, Any]:
    return {name: probability, "mask_dilate_max": 0.3}


def same(a: Sample, b: Sample) -> bool:
    return not differing(a, b)


def differing(a: Sample, b: Sample) -> set[str]:
    names = [field.name for field in fields(a)]
    return {name for name in names if not np.array_equal(getattr(a, name), getattr(b, name))}


def test_without_augmentations_rows_are_only_flipped(rows: PackedDataset) -> None:
    """Other augmentations do not change the random values of the flip."""
    mirrored = epoch_random(len(rows), 7, 3, "mirror") < 0.5
    assert 0 < mirrored.sum() < len(rows)
    for index in range(len(rows)):
        expected = replace(rows.sample(index), mirrored=bool(mirrored[index]))
        assert same(augmented(rows, epoch=3).sample(index), expected)


@pytest.mark.parametrize("name", CHANGED_FIELDS)
def test_each_augmentation_changes_its_fields_only(rows: PackedDataset, name: str) -> None:
    dataset = augmented(rows, flip_prob=0, **enable(name))
    changed = set().union(*(differing(dataset.sample(index), rows.sample(index)) for index in range(len(rows))))
    assert changed == CHANGED_FIELDS[name]


@pytest.mark.parametrize("name", CHANGED_FIELDS)
def test_augmentations_follow_their_probability(rows: PackedDataset, name: str) -> None:
    count = 0
    for epoch in range(20):
        dataset = augmented(rows, epoch, 0, **enable(name, 0.3))
        count += sum(not same(dataset.sample(index), rows.sample(index)) for index in range(len(rows)))
    assert 0.15 < count / (20 * len(rows)) < 0.45


def test_augmentations_depend_on_seed_epoch_and_row_only(rows: PackedDataset) -> None:
    forward = [augmented(rows, **ALL).sample(index) for index in range(len(rows))]
    dataset = augmented(rows, **ALL)
    backward = [dataset.sample(index) for index in reversed(range(len(rows)))][::-1]
    assert all(same(one, other) for one, other in zip(forward, backward, strict=True))
    assert not same(forward[0], augmented(rows, epoch=2, **ALL).sample(0))
    assert not same(forward[0], augmented(rows, seed=8, **ALL).sample(0))


def test_augmentations_are_independent_of_each_other(rows: PackedDataset) -> None:
    single, both = (augmented(rows, person_affine_prob=0.5, color_jitter_prob=jitter).sample for jitter in (0.0, 1.0))
    for index in range(len(rows)):
        assert not differing(single(index), both(index)) & {"mask", "keypoints", "mirrored"}


def test_threads_and_batch_size_do_not_matter(rows: PackedDataset) -> None:
    dataset = augmented(rows, **ALL)
    ones = [batch for order in ([0], [1], [2]) for batch in load_batches(dataset, [np.array(order)], 1)]
    (three,) = load_batches(dataset, [np.array([0, 1, 2])], 3)
    for number, one in enumerate(ones):
        assert torch.equal(one.person[0], three.person[number])
        assert torch.equal(one.pose[0], three.pose[number])
        assert torch.equal(one.mask[0], three.mask[number])


def test_masked_pixels_are_black_and_others_unchanged(rows: PackedDataset) -> None:
    inputs = prepare(collate([augmented(rows, **ALL).sample(index) for index in range(len(rows))]))
    masked = inputs.mask.expand_as(inputs.agnostic)
    assert (inputs.agnostic[masked] == -1).all()
    assert torch.equal(inputs.agnostic[~masked], inputs.person[~masked])
    assert masked.any(dim=3).any(dim=2).all()


@pytest.mark.parametrize("epoch", range(4))
def test_augmented_inputs_leak_nothing_behind_the_mask(rows: PackedDataset, epoch: int) -> None:
    """The agnostic image does not depend on garment and background behind the mask."""

    class ChangedBehindMask(PackedDataset):
        def image(self, column: str, index: int) -> np.ndarray:
            image = super().image(column, index)
            masked = super().mask("mask", index)[..., None]
            return np.where(masked, 255 - image, image) if column == "person" else image

        def mask(self, column: str, index: int) -> np.ndarray:
            mask = super().mask(column, index)
            return mask ^ super().mask("mask", index) if column == "background" else mask

    changed = ChangedBehindMask(rows._stored, rows.name)
    a, b = (
        prepare(collate([augmented(dataset, epoch, **ALL).sample(index) for index in range(len(rows))]))
        for dataset in (rows, changed)
    )
    assert not torch.equal(a.person, b.person)
    assert torch.equal(a.reference, b.reference)
