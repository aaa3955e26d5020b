"""The manifest's rows, from an index and finished shards: joined by column, the masks read shard by shard.

Nothing here grows with the number of rows but the small columns, some hundred bytes a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
from numpy.typing import NDArray

from tryon.agnostic.masks.audit import NUMBERS
from tryon.agnostic.plan import MaskPlan, read_index
from tryon.agnostic.shards import MASKS
from tryon.manifest import MANIFEST, read_table
from tryon.manifest.schemas import STATUS_OK, STATUS_QUARANTINED
from tryon.workspace import Workspace

pc: Any = pyarrow.compute  # most of its functions are made at run time, out of sight of a type checker

_FROM_INDEX = (
    "pair_id", "category", "split", "person_id", "garment_id", "person", "garment", "person_sha256", "garment_sha256",
    "neckline", "pattern", "licence",
)  # fmt: skip
_ABOUT_PERSON = ("worn", "arm_pose")
"""Taken from the index where the source itself says it, else told from label map and key points."""

MASK = "mask_png"
_BATCH_ROWS = 256
_OPEN_SHARDS = 16
"""Shards whose masks are in memory at a time. People come in the order of the shards; only who stands in several lists
is looked up again, and a test list of Dress Code is eight shards long."""

Columns = dict[str, Any]


def read_audits(paths: Sequence[Path]) -> pa.Table:
    """All columns of the shards but the masks, one row a person, in one piece."""
    columns = [name for name in MASKS.columns.names if name != MASK]
    tables = [read_table(path, MASKS, columns) for path in paths]
    return pa.concat_tables(tables).combine_chunks() if tables else MASKS.columns.empty_table().select(columns)


def join(planned: MaskPlan, audits: pa.Table, workspace: Workspace) -> tuple[pa.Table, NDArray[np.int64]]:
    """One row per row of the index.

    Returns:
        The columns of `MANIFEST` but for the masks, and each row's number in `audits`, -1 where it has none.
    """
    index = read_index(planned.category, workspace, [*_FROM_INDEX, *_ABOUT_PERSON, "sleeve", "status", "reason"])
    good = pc.equal(index["status"], STATUS_OK)
    people = audits["person_id"].combine_chunks()
    number = pc.if_else(good, pc.index_in(index["person_id"], people), None)
    own = audits.take(number)
    height, width = planned.size
    columns: Columns = {name: index[name] for name in _FROM_INDEX}
    columns |= {name: own[name] for name in (*NUMBERS, "missing_joints")}
    columns |= {name: pc.coalesce(index[name], own[name]) for name in _ABOUT_PERSON}
    columns |= {"height": pa.scalar(height), "width": pa.scalar(width), "config_hash": pa.scalar(planned.config_hash)}
    # The slice is about the new garment: what is known of it is how the person of the same id wears it.
    worn_by = pc.if_else(good, pc.index_in(index["garment_id"], people), None)
    columns["sleeve"] = pc.coalesce(index["sleeve"], audits["sleeve"].take(worn_by))
    columns["status"] = pc.if_else(pc.is_valid(own["reason"]), STATUS_QUARANTINED, index["status"])
    columns["reason"] = pc.coalesce(own["reason"], index["reason"])
    return _table(columns, index.num_rows), np.asarray(pc.fill_null(number, -1), np.int64)


MaskOf = Callable[[int], bytes | None]
"""From a person's number to the mask; None where there is none."""


def add_masks(rows: pa.Table, numbers: NDArray[np.int64], mask_of: MaskOf) -> Iterator[pa.Table]:
    """The rows in pieces, masks added."""
    for start in range(0, rows.num_rows, _BATCH_ROWS):
        piece = rows.slice(start, _BATCH_ROWS)
        masks = [mask_of(number) for number in numbers[start : start + _BATCH_ROWS].tolist()]
        yield piece.append_column(MASK, pa.array(masks, pa.binary())).select(MANIFEST.columns.names)


def mask_reader(paths: Sequence[Path], planned: MaskPlan) -> MaskOf:
    """A function from a person's number to the mask, that keeps a few shards in memory."""
    ends = np.cumsum([len(people) for people in planned.shards])

    @lru_cache(_OPEN_SHARDS)
    def masks(shard: int) -> list[bytes | None]:
        return read_table(paths[shard], MASKS, [MASK]).column(0).to_pylist()

    def mask_of(number: int) -> bytes | None:
        if number < 0:
            return None
        shard = int(np.searchsorted(ends, number, side="right"))
        return masks(shard)[number - int(ends[shard])]  # counted from the shard's end

    return mask_of


def _table(columns: Columns, length: int) -> pa.Table:
    """Columns of the manifest's types; a scalar stands for a column of equal values."""
    names = [name for name in MANIFEST.columns.names if name != MASK]
    fields = [MANIFEST.columns.field(name) for name in names]
    arrays = [
        pa.repeat(columns[field.name].cast(field.type), length)
        if isinstance(columns[field.name], pa.Scalar)
        else columns[field.name].cast(field.type)
        for field in fields
    ]
    return pa.table(arrays, schema=pa.schema(fields))
