"""Packed rows in the work area, some dozens a file: what a stopped run leaves is used again if it is whole.

A shard is named by a digest of all that it is made from, so work for other rows, parameters or code is never taken up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tryon.dresscode.readers import Size
from tryon.manifest import PACKED, table_from_rows, write_table
from tryon.runtime.atomic_files import checksum_ok, sha256_bytes, short_hash, write_checksum
from tryon.sample.packing import COPIED, RAW_ROLES, Row, pack_row
from tryon.workspace import Workspace


@dataclass(frozen=True)
class PackConfig:
    """What packed rows depend on besides the rows.

    Args:
        size: height and width of the packed images.
        code: version of the stage's code.
        workspace: where raw files and the work area lie.
    """

    size: Size
    code: str
    workspace: Workspace


def pack_shard(rows: Sequence[Row], packing: PackConfig) -> Path:
    """Pack rows into one file of the work area, unless it is there and whole.

    Args:
        rows: as `pack_row` takes them.
        packing: size, code and place.

    Returns:
        The file, a table of the schema PACKED.
    """
    path = packing.workspace.work_dir("sample") / f"{_name(rows, packing)}.arrow"
    if not checksum_ok(path):
        packed = [pack_row(row, packing.size, packing.workspace) for row in rows]
        write_table(path, table_from_rows(packed, PACKED), PACKED)
        write_checksum(path)
    return path


def _name(rows: Sequence[Row], packing: PackConfig) -> str:
    """Digest of the contents that go in: raw files count by hash, wherever they lie."""
    names = ("part", *COPIED, *(f"{role}_sha256" for role in RAW_ROLES))
    contents = [[sha256_bytes(row["mask_png"]), *(row[name] for name in names)] for row in rows]
    return short_hash([contents, packing.size, packing.code])
