"""Changes keep a pair consistent, are drawn by seed, epoch and row alone, and are off when they are off."""

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
TOUCHED = {
    "color_jitter_prob": {"person", "garment"},
    "person_affine_prob": {"person", "mask", "garment_mask", "keypoints"},
    "garment_affine_prob": {"garment"},
    "background_prob": {"person"},
    "mask_dilate_prob": {"mask"},
}
"""What each change may touch."""


@pytest.fixture
def rows(figures_file: Path) -> PackedDataset:
    return PackedDataset.read(figures_file)


def augmented(
    rows: PackedDataset, epoch: int = 1, flip: float = 0.5, seed: int = 7, **settings: Any
) -> AugmentedDataset:
    return AugmentedDataset(rows, flip, AugmentSettings.model_validate(settings), seed, epoch)


def on(name: str, probability: float = 1.0) -> dict[str, Any]:
    return {name: probability, "mask_dilate_max": 0.3}


def same(one: Sample, other: Sample) -> bool:
    return not differing(one, other)


def differing(one: Sample, other: Sample) -> set[str]:
    names = [field.name for field in fields(one)]
    return {name for name in names if not np.array_equal(getattr(one, name), getattr(other, name))}


def test_with_all_off_only_the_flip_is_drawn(rows: PackedDataset) -> None:
    """The flip draws what it drew before there was anything else to draw."""
    mirrored = epoch_random(len(rows), 7, 3, "mirror") < 0.5
    assert 0 < mirrored.sum() < len(rows)
    for index in range(len(rows)):
        expected = replace(rows.sample(index), mirrored=bool(mirrored[index]))
        assert same(augmented(rows, epoch=3).sample(index), expected)


@pytest.mark.parametrize("name", TOUCHED)
def test_each_change_touches_what_it_is_for(rows: PackedDataset, name: str) -> None:
    changed = augmented(rows, flip=0, **on(name))
    touched = set().union(*(differing(changed.sample(index), rows.sample(index)) for index in range(len(rows))))
    assert touched == TOUCHED[name]


@pytest.mark.parametrize("name", TOUCHED)
def test_a_change_is_made_as_often_as_asked(rows: PackedDataset, name: str) -> None:
    chances = {index: [0.0, 0.0] for index in range(len(rows))}
    for epoch in range(20):
        one = augmented(rows, epoch, 0, **on(name, 0.3))
        for index in chances:
            chances[index][0] += not same(one.sample(index), rows.sample(index))
    assert 0.15 < sum(count for count, _ in chances.values()) / (20 * len(rows)) < 0.45


def test_draws_depend_on_seed_epoch_and_row_alone(rows: PackedDataset) -> None:
    forward = [augmented(rows, **ALL).sample(index) for index in range(len(rows))]
    changed = augmented(rows, **ALL)
    backward = [changed.sample(index) for index in reversed(range(len(rows)))][::-1]
    assert all(same(one, other) for one, other in zip(forward, backward, strict=True))
    assert not same(forward[0], augmented(rows, epoch=2, **ALL).sample(0))
    assert not same(forward[0], augmented(rows, seed=8, **ALL).sample(0))


def test_turning_one_change_on_leaves_the_draws_of_the_others(rows: PackedDataset) -> None:
    alone, both = (augmented(rows, move=0.5, jitter=jitter).sample for jitter in (0.0, 1.0))
    for index in range(len(rows)):
        assert not differing(alone(index), both(index)) & {"mask", "keypoints", "mirrored"}


def test_threads_and_batches_change_nothing(rows: PackedDataset) -> None:
    changed = augmented(rows, **ALL)
    ones = [batch for order in ([0], [1], [2]) for batch in load_batches(changed, [np.array(order)], 1)]
    (three,) = load_batches(changed, [np.array([0, 1, 2])], 3)
    for number, one in enumerate(ones):
        assert torch.equal(one.person[0], three.person[number])
        assert torch.equal(one.pose[0], three.pose[number])
        assert torch.equal(one.mask[0], three.mask[number])


def test_hidden_is_black_after_everything_and_the_rest_is_the_true_image(rows: PackedDataset) -> None:
    inputs = prepare(collate([augmented(rows, **ALL).sample(index) for index in range(len(rows))]))
    hidden = inputs.mask.expand_as(inputs.agnostic)
    assert (inputs.agnostic[hidden] == -1).all()
    assert torch.equal(inputs.agnostic[~hidden], inputs.person[~hidden])
    assert hidden.any(dim=3).any(dim=2).all()


@pytest.mark.parametrize("epoch", range(4))
def test_nothing_of_what_is_hidden_shows_after_everything(rows: PackedDataset, epoch: int) -> None:
    """Another garment and another background behind the mask give the same agnostic image."""

    class Behind(PackedDataset):
        def image(self, column: str, index: int) -> np.ndarray:
            image = super().image(column, index)
            hidden = super().mask("mask", index)[..., None]
            return np.where(hidden, 255 - image, image) if column == "person" else image

        def mask(self, column: str, index: int) -> np.ndarray:
            mask = super().mask(column, index)
            return mask ^ super().mask("mask", index) if column == "background" else mask

    behind = Behind(rows._stored, rows.name)
    one, other = (
        prepare(collate([augmented(own, epoch, **ALL).sample(index) for index in range(len(rows))]))
        for own in (rows, behind)
    )
    assert not torch.equal(one.person, other.person)
    assert torch.equal(one.reference, other.reference)
