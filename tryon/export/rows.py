"""Rows of a manifest, a run of them at a time, so that memory does not grow with the data set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tryon.categories import Category
from tryon.errors import MissingInputError, TryOnError
from tryon.manifest import INDEX, MANIFEST, read_metadata, read_table
from tryon.runtime.atomic_files import sha256_file
from tryon.workspace import Workspace

Row = dict[str, Any]

LIGHT = (
    "pair_id",
    "split",
    "person_id",
    "garment_id",
    "person",
    "garment",
    "config_hash",
    "licence",
    "status",
    "height",
    "width",
)
"""What is needed to say which files an export has."""

FULL = (*LIGHT, "person_sha256", "garment_sha256", "mask_png")
"""What is needed to write them."""

_BATCH = 1024
_DENSE = ("pair_id", "dense_pose", "dense_pose_sha256")


def check_tables(category: Category, dense: bool, workspace: Workspace) -> None:
    """Make sure that the manifest is there, of a version that we know, and made from the index where that is needed.

    Args:
        category: whose manifest.
        dense: whether the index is read as well.
        workspace: where they lie.

    Raises:
        MissingInputError: one is not there, or the index is another one than the manifest was made from.
        TryOnError: one is not a table of its kind.
    """
    manifest, index = workspace.manifest(category), workspace.index(category)
    read_table(manifest, MANIFEST, [], made_by=f"tryon agnostic {category}")
    if not dense:
        return
    read_table(index, INDEX, [], made_by="tryon download")
    if read_metadata(manifest).get("index_sha256") != sha256_file(index):
        rule = f"was made from {index} as it is now"
        raise MissingInputError(
            str(manifest), expected=rule, found="another state of it", hint=f"Run `tryon agnostic {category}` again."
        )


def iter_rows(category: Category, dense: bool, workspace: Workspace) -> Iterator[Row]:
    """All rows in order, with the columns `LIGHT` and, when `dense`, the path of the DensePose map."""
    manifest = _batches(workspace.manifest(category), LIGHT)
    if not dense:
        yield from manifest
        return
    for row, indexed in zip(manifest, _batches(workspace.index(category), _DENSE), strict=True):
        assert row["pair_id"] == indexed["pair_id"], "a manifest has a row for each of its index, in its order"
        yield row | {"dense_pose": indexed["dense_pose"]}


def read_rows(category: Category, dense: bool, workspace: Workspace, start: int, stop: int) -> list[Row]:
    """Rows number `start` up to `stop`, with the columns `FULL` and, when `dense`, path and hash of DensePose."""
    rows = _run(workspace.manifest(category), FULL, start, stop)
    if not dense:
        return rows
    return [row | more for row, more in zip(rows, _run(workspace.index(category), _DENSE, start, stop), strict=True)]


def _batches(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    try:
        with pq.ParquetFile(path, memory_map=True, page_checksum_verification=True) as file:
            for batch in file.iter_batches(_BATCH, columns=list(columns)):
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from error


def _run(path: Path, columns: Sequence[str], start: int, stop: int) -> list[Row]:
    """Rows of the row groups that overlap the run, cut to it."""
    rows: list[Row] = []
    try:
        with pq.ParquetFile(path, memory_map=True, page_checksum_verification=True) as file:
            first = 0
            for group in range(file.num_row_groups):
                last = first + file.metadata.row_group(group).num_rows
                if first < stop and start < last:
                    table = file.read_row_group(group, list(columns))
                    low = max(start - first, 0)
                    rows += table.slice(low, min(stop, last) - first - low).to_pylist()
                first = last
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from error
    return rows


def _damaged(path: Path, error: Exception) -> TryOnError:
    remedy = "Run `tryon download`, then `tryon agnostic` again."
    return TryOnError(str(path), expected="is a whole parquet table", found=str(error), hint=remedy)
