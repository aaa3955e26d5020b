"""Join an index with finished shards to the rows of the manifest; masks are read shard by shard.

Memory grows by some hundred bytes a row, for the small columns.
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

pc: Any = pyarrow.compute  # its functions are generated at run time

_INDEX_COLUMNS = (
    "pair_id", "category", "split", "person_id", "garment_id", "person", "garment", "person_sha256", "garment_sha256",
    "neckline", "pattern", "licence",
)  # fmt: skip
_PERSON_ATTRIBUTES = ("worn", "arm_pose")
"""From the index if the source has them, else from the audit."""

MASK = "mask_png"
_BATCH_ROWS = 256
_OPEN_SHARDS = 16
"""Shards with masks in memory. People come in the order of shards, except those in several lists, and a test list of
Dress Code has eight shards."""

Columns = dict[str, Any]
MaskOf = Callable[[int], bytes | None]
"""Returns the mask of a person by number, or None."""


def read_audits(paths: Sequence[Path]) -> pa.Table:
    """Read all columns of the shards but the masks, one row a person."""
    columns = [name for name in MASKS.columns.names if name != MASK]
    tables = [read_table(path, MASKS, columns) for path in paths]
    return pa.concat_tables(tables).combine_chunks() if tables else MASKS.columns.empty_table().select(columns)


def join(mask_plan: MaskPlan, audits: pa.Table, workspace: Workspace) -> tuple[pa.Table, NDArray[np.int64]]:
    """Join the index with the audits, one row per row of the index.

    Returns:
        The columns of `MANIFEST` but the masks, and each row's number in `audits`, -1 for none.
    """
    columns = [*_INDEX_COLUMNS, *_PERSON_ATTRIBUTES, "sleeve", "status", "reason"]
    index = read_index(mask_plan.category, workspace, columns)
    usable = pc.equal(index["status"], STATUS_OK)
    people = audits["person_id"].combine_chunks()
    number = pc.if_else(usable, pc.index_in(index["person_id"], people), None)
    audit = audits.take(number)
    values: Columns = {name: index[name] for name in _INDEX_COLUMNS}
    values |= {name: audit[name] for name in (*NUMBERS, "missing_joints")}
    values |= {name: pc.coalesce(index[name], audit[name]) for name in _PERSON_ATTRIBUTES}
    # The sleeve is of the new garment, which the person of the same id wears.
    worn_by = pc.if_else(usable, pc.index_in(index["garment_id"], people), None)
    values["sleeve"] = pc.coalesce(index["sleeve"], audits["sleeve"].take(worn_by))
    values["status"] = pc.if_else(pc.is_valid(audit["reason"]), STATUS_QUARANTINED, index["status"])
    values["reason"] = pc.coalesce(audit["reason"], index["reason"])
    height, width = mask_plan.size
    for name, value in (("height", height), ("width", width), ("config_hash", mask_plan.config_hash)):
        values[name] = pa.repeat(pa.scalar(value), index.num_rows)
    fields = [field for field in MANIFEST.columns if field.name != MASK]
    arrays = [values[field.name].cast(field.type) for field in fields]
    return pa.table(arrays, schema=pa.schema(fields)), np.asarray(pc.fill_null(number, -1), np.int64)


def add_masks(rows: pa.Table, numbers: NDArray[np.int64], mask_of: MaskOf) -> Iterator[pa.Table]:
    """Yield the rows in batches with their masks."""
    for start in range(0, rows.num_rows, _BATCH_ROWS):
        batch = rows.slice(start, _BATCH_ROWS)
        masks = [mask_of(number) for number in numbers[start : start + _BATCH_ROWS].tolist()]
        yield batch.append_column(MASK, pa.array(masks, pa.binary())).select(MANIFEST.columns.names)


def mask_reader(paths: Sequence[Path], mask_plan: MaskPlan) -> MaskOf:
    """Return a function that reads a person's mask by number, with a few shards cached."""
    ends = np.cumsum([len(people) for people in mask_plan.shards])

    @lru_cache(_OPEN_SHARDS)
    def masks(shard: int) -> list[bytes | None]:
        return read_table(paths[shard], MASKS, [MASK]).column(0).to_pylist()

    def mask_of(number: int) -> bytes | None:
        if number < 0:
            return None
        shard = int(np.searchsorted(ends, number, side="right"))
        return masks(shard)[number - int(ends[shard])]  # a negative index, from the shard's end

    return mask_of
