"""Batches hold the requested rows in order, for any number of threads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tryon.dresscode.pose import draw_pose
from tryon.errors import TryOnError
from tryon.loading.augmentations import mirror_keypoints
from tryon.loading.batch_loader import collate, load_batches
from tryon.loading.epoch_order import split_batches
from tryon.loading.packed_dataset import PackedDataset
from tryon.manifest import PACKED, read_table, table_from_rows, write_table


def test_batches_follow_the_order_for_any_number_of_threads(subset_file: Path) -> None:
    rows, order = PackedDataset.read(subset_file), np.array([5, 0, 3, 6, 1, 2])
    one, three = (list(load_batches(rows, split_batches(order, 2), threads)) for threads in (1, 3))
    assert [batch.pair_ids for batch in one] == [
        ("000005_000005", "000000_000000"), ("000003_000003", "000006_000006"), ("000001_000001", "000002_000002")
    ]  # fmt: skip
    assert not any(batch.mirrored.any() for batch in one)
    for left, right in zip(one, three, strict=True):
        assert torch.equal(left.person, right.person)
        assert torch.equal(left.pose, right.pose)


def test_tensors_hold_the_bytes_of_the_rows(subset_file: Path) -> None:
    rows = PackedDataset.read(subset_file)
    (batch,) = load_batches(rows, [np.array([2, 4])])
    assert batch.person.dtype == torch.uint8
    assert batch.person.shape == (2, 3, 32, 16)
    assert batch.mask.shape == (2, 1, 32, 16)
    assert np.array_equal(batch.garment[1].permute(1, 2, 0).numpy(), rows.sample(4).garment)


def test_pose_of_a_mirrored_row_is_mirrored(subset_file: Path) -> None:
    example = PackedDataset.read(subset_file).sample(2)
    batch = collate([example, replace(example, mirrored=True)])
    assert batch.mirrored.tolist() == [False, True]
    assert torch.equal(batch.person[0], batch.person[1])
    for pose, keypoints in zip(batch.pose, (example.keypoints, mirror_keypoints(example.keypoints, 16)), strict=True):
        assert np.array_equal(pose.permute(1, 2, 0).numpy(), draw_pose(keypoints, (32, 16)))


def test_damaged_row_is_named(subset_file: Path, tmp_path: Path) -> None:
    records = read_table(subset_file, PACKED).to_pylist()
    records[1]["person"] = b"no image"
    path = tmp_path / "damaged.arrow"
    write_table(path, table_from_rows(records, PACKED), PACKED)
    with pytest.raises(TryOnError, match="000001_000001"):
        list(load_batches(PackedDataset.read(path), split_batches(np.arange(7), 2)))
