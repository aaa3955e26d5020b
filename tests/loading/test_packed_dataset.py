"""Packed rows are decoded as they were written."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tryon.categories import Category
from tryon.errors import MissingInputError, TryOnError
from tryon.loading.packed_dataset import PackedDataset
from tryon.manifest import PACKED, read_table, table_from_rows, write_table


def test_sample_equals_the_packed_row(subset_file: Path) -> None:
    random = np.random.default_rng(4)
    bgr = [random.integers(0, 256, (32, 16, 3), np.uint8) for _ in range(2)]
    masks = [random.random((32, 16)) < 0.4 for _ in range(2)]
    sample = PackedDataset.read(subset_file).sample(4)
    assert (sample.pair_id, sample.category) == ("000004_000004", Category.LOWER_BODY)
    assert np.array_equal(sample.person, bgr[0][..., ::-1])
    assert np.array_equal(sample.garment, bgr[1][..., ::-1])
    assert np.array_equal(sample.mask, masks[0])
    assert np.array_equal(sample.garment_mask, masks[1])
    assert sample.keypoints.shape == (18, 3)
    assert sample.keypoints[3].tolist() == [-1, -1, 0]
    assert not sample.mirrored


def test_category_rows_keep_their_order(subset_file: Path) -> None:
    rows = PackedDataset.read(subset_file).select_category(Category.UPPER_BODY)
    assert [rows.text("pair_id", i) for i in range(len(rows))] == [f"{n:06d}_{n:06d}" for n in (0, 3, 6)]


def test_missing_mask_is_named(subset_file: Path, tmp_path: Path) -> None:
    records = read_table(subset_file, PACKED).to_pylist()
    records[1]["background"] = None
    path = tmp_path / "incomplete.arrow"
    write_table(path, table_from_rows(records, PACKED), PACKED)
    rows = PackedDataset.read(path)
    assert [rows.has("background", index) for index in range(3)] == [True, False, True]
    rows.sample(1)
    with pytest.raises(TryOnError, match=r"background of pair 000001_000001 .* is missing"):
        rows.mask("background", 1)


def test_repeated_decoding_does_not_leak_memory(subset_file: Path) -> None:
    rows = PackedDataset.read(subset_file)

    def epoch() -> int:
        for index in range(len(rows)):
            rows.sample(index)
        return tracemalloc.get_traced_memory()[0]

    epoch()
    tracemalloc.start()
    try:
        first = epoch()
        assert max(epoch() for _ in range(5)) < first + 2000
    finally:
        tracemalloc.stop()


def test_missing_subset_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="tryon sample"):
        PackedDataset.read(tmp_path / "train.arrow")


def test_empty_subset_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "train.arrow"
    write_table(path, table_from_rows([], PACKED), PACKED)
    rows = PackedDataset.read(path)
    assert len(rows) == 0
    with pytest.raises(MissingInputError, match="has no rows"):
        _ = rows.size


def test_damaged_image_is_named(subset_file: Path, tmp_path: Path) -> None:
    records = read_table(subset_file, PACKED).to_pylist()
    records[1]["garment"] = records[1]["garment"][:40]
    path = tmp_path / "damaged.arrow"
    write_table(path, table_from_rows(records, PACKED), PACKED)
    with pytest.raises(TryOnError, match="garment of pair 000001_000001"):
        PackedDataset.read(path).sample(1)


@pytest.mark.parametrize("change", [lambda mask: mask[:-1], lambda mask: mask + b"\0"], ids=["short", "long"])
def test_mask_of_another_size_is_named(change: Callable[[bytes], bytes], subset_file: Path, tmp_path: Path) -> None:
    records = read_table(subset_file, PACKED).to_pylist()
    records[1]["garment_mask"] = change(records[1]["garment_mask"])
    path = tmp_path / "damaged.arrow"
    write_table(path, table_from_rows(records, PACKED), PACKED)
    with pytest.raises(TryOnError, match="garment_mask of pair 000001_000001"):
        PackedDataset.read(path).sample(1)


def test_rejects_mixed_image_sizes(subset_file: Path, tmp_path: Path) -> None:
    records = read_table(subset_file, PACKED).to_pylist()
    records[1]["height"] = 64
    path = tmp_path / "mixed.arrow"
    write_table(path, table_from_rows(records, PACKED), PACKED)
    with pytest.raises(TryOnError, match="image sizes"):
        PackedDataset.read(path)
