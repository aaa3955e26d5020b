"""Pack rows into shards in the work directory, which an interrupted run reuses.

A shard is named by a hash of everything that its content depends on.
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
    """What packed rows of `size` depend on, apart from the rows."""

    size: Size
    code: str
    workspace: Workspace


def pack_shard(rows: Sequence[Row], config: PackConfig) -> Path:
    """Pack rows, as `pack_row` takes them, into a table of the schema PACKED unless it is complete; return its path."""
    path = config.workspace.work_dir("sample") / f"{_content_hash(rows, config)}.arrow"
    if not checksum_ok(path):
        packed = [pack_row(row, config.size, config.workspace) for row in rows]
        write_table(path, table_from_rows(packed, PACKED), PACKED)
        write_checksum(path)
    return path


def _content_hash(rows: Sequence[Row], config: PackConfig) -> str:
    """Hash the rows; raw files count by hash, not by path."""
    names = ("part", *COPIED, *(f"{role}_sha256" for role in RAW_ROLES))
    contents = [[sha256_bytes(row["mask_png"]), *(row[name] for name in names)] for row in rows]
    return short_hash([contents, config.size, config.code])
