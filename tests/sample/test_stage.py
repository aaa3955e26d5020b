from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tryon.categories import Category, Split
from tryon.dresscode.labels import Label, garment_region
from tryon.dresscode.readers import decode_keypoints, decode_label_map, decode_photo
from tryon.errors import MissingInputError, SourceError
from tryon.manifest import INDEX, PACKED, SLICE_COLUMNS, read_metadata, read_table, table_from_rows, write_table
from tryon.manifest.mask_png import decode_mask
from tryon.runtime.stage_result import StageResult
from tryon.sample import shards as shards_module
from tryon.workspace import SUBSET_PARTS, Workspace

pytestmark = pytest.mark.slow

Run = Callable[..., StageResult]
SIZE = (64, 48)


def packed(workspace: Workspace, part: str) -> list[dict[str, Any]]:
    return read_table(workspace.subset(part), PACKED).to_pylist()


def outputs(workspace: Workspace) -> dict[str, bytes]:
    return {part: workspace.subset(part).read_bytes() for part in SUBSET_PARTS}


def names(workspace: Workspace, part: str) -> list[tuple[str, str]]:
    return [(row["category"], row["pair_id"]) for row in packed(workspace, part)]


def test_parts_contain_every_row_once_in_order(run: Run, maker: Any, workspace: Workspace) -> None:
    maker.save()
    summary = run(val_fraction=0.2)
    every = {part: names(workspace, part) for part in SUBSET_PARTS}
    assert {part: len(pairs) for part, pairs in every.items()} == {
        "train": 24, "val": 6, "test_paired": 9, "test_unpaired": 9,
    }  # fmt: skip
    for pairs in every.values():
        assert pairs == sorted(pairs, key=lambda name: (Category(name[0]).list_code, name[1]))
    assert sorted(every["train"] + every["val"]) == sorted(
        (row["category"], row["pair_id"])
        for rows in maker.manifest.values()
        for row in rows
        if row["split"] == Split.TRAIN
    )
    assert summary.summary == ("24 train, 6 val, 9 test_paired, 9 test_unpaired pairs; fewer than requested.")
    assert summary.table[0] == {
        "category": "upper_body", "train": 8, "val": 2, "test_paired": 3, "test_unpaired": 3,
        "requested: train and val": 1800, "requested: each test list": 1800,
    }  # fmt: skip


def test_counts_are_capped_per_category(run: Run, maker: Any, workspace: Workspace) -> None:
    maker.save()
    summary = run(train_pairs_per_category=5, test_pairs_per_category=2, val_fraction=0.2)
    assert [len(names(workspace, part)) for part in SUBSET_PARTS] == [12, 3, 6, 6]
    assert "fewer" not in summary.summary


@pytest.mark.parametrize(("part", "images"), [("train", "jpeg"), ("val", "png"), ("test_unpaired", "png")])
def test_packed_row_equals_its_raw_files_at_training_size(
    run: Run, maker: Any, workspace: Workspace, part: str, images: str
) -> None:
    maker.save()
    run()
    assert read_metadata(workspace.subset(part))["images"] == images
    index = {(row["split"], row["pair_id"]): row for rows in maker.index.values() for row in rows}
    manifest = {(row["split"], row["pair_id"]): row for rows in maker.manifest.values() for row in rows}
    for row in packed(workspace, part):
        files, made = index[row["split"], row["pair_id"]], manifest[row["split"], row["pair_id"]]
        category = Category(row["category"])

        def raw(role: str, files: dict = files) -> bytes:
            return (workspace.raw / files[role]).read_bytes()

        def bits(column: str, row: dict = row) -> np.ndarray:
            flat = np.unpackbits(np.frombuffer(row[column], np.uint8))
            return flat[: SIZE[0] * SIZE[1]].reshape(SIZE).astype(bool)

        for role in ("person", "garment"):
            expected, result = decode_photo(raw(role), SIZE).astype(int), decode_photo(row[role]).astype(int)
            assert np.abs(expected - result).mean() < (3 if images == "jpeg" else 1e-9)
        assert np.array_equal(bits("mask"), decode_mask(made["mask_png"]))
        assert np.array_equal(bits("garment_mask"), garment_region(decode_label_map(raw("label_map"), SIZE), category))
        if part == "train":
            assert np.array_equal(bits("background"), decode_label_map(raw("label_map"), SIZE) == Label.BACKGROUND)
        else:
            assert row["background"] is None
        assert np.array_equal(
            np.array(row["keypoints"], np.float32).reshape(18, 3), decode_keypoints(raw("keypoints"), SIZE)
        )
        assert (row["height"], row["width"], row["licence"]) == (*SIZE, "own")
        assert all(row[name] == made[name] for name in SLICE_COLUMNS)
        if part == "test_unpaired":
            assert np.array_equal(decode_photo(row["truth"]), decode_photo(raw("truth"), SIZE))
            region = garment_region(decode_label_map(raw("truth_label_map"), SIZE), category)
            assert np.array_equal(bits("truth_garment_mask"), region)
        else:
            assert (row["truth"], row["truth_garment_mask"]) == (None, None)


def test_order_of_rows_and_number_of_workers_change_no_byte(
    run: Run, maker: Any, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker.save()
    run()
    first = outputs(workspace)
    maker.save(order=-1)
    run()
    assert outputs(workspace) == first
    monkeypatch.setenv("TRYON_WORKERS", "2")
    run()
    assert outputs(workspace) == first
    run(seed=8)
    assert outputs(workspace) != first


def test_interrupted_run_resumes_to_identical_bytes(
    run: Run, maker: Any, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tryon.sample.stage.SHARD_SIZE", 8)
    maker.save()
    run()
    complete = outputs(workspace)
    shutil.rmtree(workspace.data / "subset")
    true_pack = shards_module.pack_row
    calls: list[str] = []

    def pack(row: dict, *more: Any) -> dict:
        if len(calls) == 20:
            raise KeyboardInterrupt
        calls.append(row["pair_id"])
        return true_pack(row, *more)

    monkeypatch.setattr(shards_module, "pack_row", pack)
    with pytest.raises(KeyboardInterrupt):
        run()
    assert not (workspace.data / "subset").exists()
    left = sorted(workspace.work_dir("sample").glob("*.arrow"))
    assert len(left) == 2
    left[0].write_bytes(left[0].read_bytes()[:-1])  # damaged: made again
    calls.clear()
    monkeypatch.setattr(shards_module, "pack_row", lambda row, *more: (calls.append("x"), true_pack(row, *more))[1])
    run()
    assert len(calls) == 48 - 8
    assert outputs(workspace) == complete
    assert not workspace.work_dir("sample").exists()


def test_shards_of_other_parameters_are_not_reused(
    run: Run, maker: Any, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker.save()
    run(seed=8)
    expected = outputs(workspace)
    monkeypatch.setattr("tryon.sample.stage.write_tables", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run(seed=7)
    monkeypatch.undo()
    monkeypatch.setenv("TRYON_WORKERS", "1")
    run(seed=8)
    assert outputs(workspace) == expected


def test_quarantined_rows_are_left_out(run: Run, maker: Any, workspace: Workspace) -> None:
    maker.add(Category.DRESSES, Split.TRAIN, 250, 250, status="quarantined")
    maker.save()
    run()
    assert ("dresses", "000250_000250") not in names(workspace, "train") + names(workspace, "val")


@pytest.mark.parametrize("status", ["ok", "quarantined"])
def test_rejects_test_person_in_the_train_list(run: Run, maker: Any, workspace: Workspace, status: str) -> None:
    maker.add(Category.DRESSES, Split.TEST_PAIRED, 203, 203, status=status)
    maker.save()
    with pytest.raises(SourceError, match="dresses 000203"):
        run()
    assert not (workspace.data / "subset").exists()


def test_missing_or_mismatched_inputs_name_the_command(run: Run, maker: Any, workspace: Workspace) -> None:
    with pytest.raises(MissingInputError, match="tryon agnostic upper_body"):
        run()
    maker.save()
    with pytest.raises(MissingInputError, match=r"image\.size, 128x96.*tryon agnostic upper_body"):
        run(size=(128, 96))


@pytest.mark.parametrize("change", [{"label_map_sha256": "0" * 64}, None], ids=["other label map", "one row more"])
def test_manifest_of_an_earlier_index_names_the_command(
    run: Run, maker: Any, workspace: Workspace, change: dict | None
) -> None:
    maker.save()
    rows = read_table(workspace.index(Category.DRESSES), INDEX).to_pylist()
    rows = [rows[0] | change, *rows[1:]] if change else [*rows, rows[0] | {"pair_id": "000299_000299"}]
    write_table(workspace.index(Category.DRESSES), table_from_rows(rows, INDEX), INDEX)
    with pytest.raises(MissingInputError, match=r"dresses\.parquet.*tryon agnostic dresses"):
        run()
    assert not (workspace.data / "subset").exists()


def test_missing_raw_files_are_named_at_once(run: Run, maker: Any, workspace: Workspace) -> None:
    maker.save()
    for number in range(3):
        Path(workspace.raw / f"upper_body/images/00000{number}_0.jpg").unlink()
    with pytest.raises(MissingInputError, match=r"3 of .* raw files.*000000_0.*000002_0.*tryon download"):
        run()


def test_rejects_too_few_rows_to_validate(run: Run, workspace: Workspace, maker: Any) -> None:
    for category in Category:
        maker.manifest[category] = maker.manifest[category][: 1 if category is Category.DRESSES else 0]
    maker.save()
    with pytest.raises(MissingInputError, match="1 to train, 0 to validate"):
        run()
