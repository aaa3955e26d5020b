"""Packed rows come back as they were written."""

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


def test_a_row_comes_back_as_it_was_packed(subset_file: Path) -> None:
    random = np.random.default_rng(4)
    bgr = [random.integers(0, 256, (32, 16, 3), np.uint8) for _ in range(2)]
    masks = [random.random((32, 16)) < 0.4 for _ in range(2)]
    example = PackedDataset.read(subset_file).sample(4)
    assert (example.pair_id, example.category) == ("000004_000004", Category.LOWER_BODY)
    assert np.array_equal(example.person, bgr[0][..., ::-1])
    assert np.array_equal(example.garment, bgr[1][..., ::-1])
    assert np.array_equal(example.mask, masks[0])
    assert np.array_equal(example.garment_mask, masks[1])
    assert example.keypoints.shape == (18, 3)
    assert example.keypoints[3].tolist() == [-1, -1, 0]
    assert not example.mirrored


def test_rows_of_one_category_keep_their_order(subset_file: Path) -> None:
    rows = PackedDataset.read(subset_file).indices_of(Category.UPPER_BODY)
    assert [rows.text("pair_id", i) for i in range(len(rows))] == [f"{n:06d}_{n:06d}" for n in (0, 3, 6)]


def test_a_mask_that_is_absent_is_named(subset_file: Path, tmp_path: Path) -> None:
    records = read_table(subset_file, PACKED).to_pylist()
    records[1]["background"] = None
    path = tmp_path / "without.arrow"
    write_table(path, table_from_rows(records, PACKED), PACKED)
    rows = PackedDataset.read(path)
    assert [rows.has("background", index) for index in range(3)] == [True, False, True]
    rows.sample(1)
    with pytest.raises(TryOnError, match="pair 000001_000001, background: is not empty"):
        rows.mask("background", 1)


def test_decoding_rows_again_and_again_takes_no_more_memory(subset_file: Path) -> None:
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


def test_a_missing_subset_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="tryon sample"):
        PackedDataset.read(tmp_path / "train.arrow")


def test_an_empty_subset_is_refused_by_those_who_need_rows(tmp_path: Path) -> None:
    path = tmp_path / "train.arrow"
    write_table(path, table_from_rows([], PACKED), PACKED)
    rows = PackedDataset.read(path)
    assert len(rows) == 0
    with pytest.raises(MissingInputError, match="at least one row"):
        _ = rows.size


def test_a_damaged_image_is_named(subset_file: Path, tmp_path: Path) -> None:
    records = read_table(subset_file, PACKED).to_pylist()
    records[1]["garment"] = records[1]["garment"][:40]
    path = tmp_path / "damaged.arrow"
    write_table(path, table_from_rows(records, PACKED), PACKED)
    with pytest.raises(TryOnError, match="pair 000001_000001, garment"):
        PackedDataset.read(path).sample(1)


@pytest.mark.parametrize("change", [lambda mask: mask[:-1], lambda mask: mask + b"\0"], ids=["short", "long"])
def test_a_mask_of_another_size_is_named(change: Callable[[bytes], bytes], subset_file: Path, tmp_path: Path) -> None:
    records = read_table(subset_file, PACKED).to_pylist()
    records[1]["garment_mask"] = change(records[1]["garment_mask"])
    path = tmp_path / "damaged.arrow"
    write_table(path, table_from_rows(records, PACKED), PACKED)
    with pytest.raises(TryOnError, match="pair 000001_000001, garment_mask: is the packed bits of 32x16"):
        PackedDataset.read(path).sample(1)


def test_rows_of_two_sizes_are_refused(subset_file: Path, tmp_path: Path) -> None:
    records = read_table(subset_file, PACKED).to_pylist()
    records[1]["height"] = 64
    path = tmp_path / "mixed.arrow"
    write_table(path, table_from_rows(records, PACKED), PACKED)
    with pytest.raises(TryOnError, match="one height"):
        PackedDataset.read(path)
