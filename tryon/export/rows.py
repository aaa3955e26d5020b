"""Read rows of a manifest in batches, so that memory does not grow with the data set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tryon.categories import Category
from tryon.errors import MissingInputError
from tryon.manifest import INDEX, MANIFEST, read_metadata, read_table
from tryon.manifest.table import unreadable_table
from tryon.runtime.atomic_files import sha256_file
from tryon.workspace import Workspace

Row = dict[str, Any]

PLAN_COLUMNS = (
    "pair_id", "split", "person_id", "garment_id", "person", "garment", "config_hash", "licence", "status", "height",
    "width",
)  # fmt: skip
"""Columns needed to plan the files of an export."""

WRITE_COLUMNS = (*PLAN_COLUMNS, "person_sha256", "garment_sha256", "mask_png")
"""Columns needed to write them."""

_BATCH = 1024
_DENSE = ("pair_id", "dense_pose", "dense_pose_sha256")


def check_tables(category: Category, dense: bool, workspace: Workspace) -> None:
    """Check that the manifest exists in the current version and, if `dense`, belongs to the index.

    Raises:
        MissingInputError: a table does not exist, or the manifest was made from another index.
        TryOnError: a table is of another kind or version.
    """
    manifest, index = workspace.manifest(category), workspace.index(category)
    read_table(manifest, MANIFEST, [], made_by=f"tryon agnostic {category}")
    if not dense:
        return
    read_table(index, INDEX, [], made_by="tryon download")
    if read_metadata(manifest).get("index_sha256") != sha256_file(index):
        raise MissingInputError(
            f"{manifest} is not made from the current {index}", hint=f"Run `tryon agnostic {category}` again."
        )


def iter_rows(category: Category, dense: bool, workspace: Workspace) -> Iterator[Row]:
    """Yield all rows in order, with `PLAN_COLUMNS` and, if `dense`, the path of the DensePose map."""
    manifest = _iter_table(workspace.manifest(category), PLAN_COLUMNS)
    if not dense:
        yield from manifest
        return
    for row, indexed in zip(manifest, _iter_table(workspace.index(category), _DENSE), strict=True):
        assert row["pair_id"] == indexed["pair_id"], "a manifest has the rows of its index, in order"
        yield row | {"dense_pose": indexed["dense_pose"]}


def read_rows(category: Category, dense: bool, workspace: Workspace, start: int, stop: int) -> list[Row]:
    """Read rows `start` to `stop`, with `WRITE_COLUMNS` and, if `dense`, path and hash of DensePose."""
    rows = _read_slice(workspace.manifest(category), WRITE_COLUMNS, start, stop)
    if not dense:
        return rows
    indexed = _read_slice(workspace.index(category), _DENSE, start, stop)
    return [row | dense_columns for row, dense_columns in zip(rows, indexed, strict=True)]


@contextmanager
def _open_table(path: Path) -> Iterator[pq.ParquetFile]:
    try:
        with pq.ParquetFile(path, memory_map=True, page_checksum_verification=True) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        raise unreadable_table(path, error, "dvc repro") from error


def _iter_table(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    with _open_table(path) as file:
        for batch in file.iter_batches(_BATCH, columns=list(columns)):
            yield from batch.to_pylist()


def _read_slice(path: Path, columns: Sequence[str], start: int, stop: int) -> list[Row]:
    """Read the row groups that overlap the slice, cut to it."""
    rows: list[Row] = []
    with _open_table(path) as file:
        first = 0
        for group in range(file.num_row_groups):
            last = first + file.metadata.row_group(group).num_rows
            if first < stop and start < last:
                table = file.read_row_group(group, list(columns))
                low = max(start - first, 0)
                rows += table.slice(low, min(stop, last) - first - low).to_pylist()
            first = last
    return rows
