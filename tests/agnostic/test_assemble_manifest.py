"""Join of index and shards: every row gets its person's mask, from few open shards."""

from pathlib import Path

import numpy as np
import pytest

import tryon.agnostic.assemble_manifest as assemble_manifest
from tryon.agnostic.assemble_manifest import add_masks, mask_reader, read_audits
from tryon.agnostic.plan import MaskPlan
from tryon.agnostic.shards import MASKS
from tryon.categories import Category
from tryon.config.agnostic import AgnosticSettings
from tryon.manifest import MANIFEST, read_table, table_from_rows, write_table


@pytest.fixture
def shards(tmp_path):
    """Shards of 3, 3, 3 and 1 people; the sixth has no mask."""
    paths, people = [], []
    for shard, count in enumerate((3, 3, 3, 1)):
        numbers = [3 * shard + index for index in range(count)]
        rows = [{"person_id": f"{n}", "mask_png": None if n == 6 else b"%d" % n} for n in numbers]
        path = tmp_path / f"{shard}.parquet"
        write_table(path, table_from_rows(rows, MASKS), MASKS)
        paths.append(path)
        people.append(tuple(str(number) for number in numbers))
    return paths, MaskPlan(Category.DRESSES, AgnosticSettings(), (64, 48), "", tuple(people), "")  # pyright: ignore


def test_masks_are_read_in_any_order(shards, monkeypatch):
    monkeypatch.setattr(assemble_manifest, "_OPEN_SHARDS", 2)
    mask_of = mask_reader(*shards)
    for number in [9, 0, 5, 3, 2, 8, 1, 0, 9, 4, 7]:
        assert mask_of(number) == b"%d" % number
    assert mask_of(6) is None
    assert mask_of(-1) is None


def test_shards_are_read_once_in_order(shards, monkeypatch):
    opened: list[Path] = []
    monkeypatch.setattr(
        assemble_manifest, "read_table", lambda path, *a: [opened.append(path), read_table(path, *a)][1]
    )
    mask_of = mask_reader(*shards)
    for _ in range(2):
        for number in range(10):
            mask_of(number)
    assert opened == shards[0]


def test_audits_have_one_row_a_person_without_masks(shards):
    audits = read_audits(shards[0])
    assert audits["person_id"].to_pylist() == [str(number) for number in range(10)]
    assert "mask_png" not in audits.column_names
    assert read_audits([]).column_names == audits.column_names


def test_add_masks_yields_all_rows_in_batches(shards, monkeypatch):
    monkeypatch.setattr(assemble_manifest, "_BATCH_ROWS", 4)
    rows = [
        {"pair_id": f"{n}", "category": "dresses", "split": "train", "person_id": "1", "garment_id": "1"}
        for n in range(9)
    ]
    table = table_from_rows(rows, MANIFEST).drop_columns(["mask_png"])
    numbers = np.array([3, -1, 0, 9, 9, 1, 6, 2, 4])
    batches = list(add_masks(table, numbers, mask_reader(*shards)))
    assert [batch.num_rows for batch in batches] == [4, 4, 1]
    masks = [mask for batch in batches for mask in batch["mask_png"].to_pylist()]
    assert masks == [b"3", None, b"0", b"9", b"9", b"1", None, b"2", b"4"]
    assert [name for batch in batches for name in batch["pair_id"].to_pylist()] == [f"{n}" for n in range(9)]
    assert {tuple(batch.column_names) for batch in batches} == {tuple(MANIFEST.columns.names)}
