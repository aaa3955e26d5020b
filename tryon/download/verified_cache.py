"""Which files have been found right before: of a source that has grown, only new files are decoded to be checked.

Every file is read and hashed all the same. A verdict counts for this content and this code alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from tryon.download.validate_files import FileFacts
from tryon.errors import TryOnError
from tryon.manifest import TableSchema, read_metadata, read_table, write_table
from tryon.runtime.atomic_files import checksum_ok, write_checksum
from tryon.runtime.code_version import code_version
from tryon.workspace import Workspace

VERIFIED_FILE = TableSchema(
    "passed",
    1,
    pa.schema([pa.field("relative", pa.string(), nullable=False), pa.field("sha256", pa.string(), nullable=False)]),
    "tryon download",
)


def read_verified_hashes(workspace: Workspace) -> dict[str, str]:
    """SHA-256 of each file that has passed, by path below `data/raw`; none if other code checked it."""
    path = _file(workspace)
    if not checksum_ok(path):
        return {}
    try:
        table = read_table(path, VERIFIED_FILE)
    except TryOnError:  # of another version
        return {}
    if read_metadata(path).get("code") != _code():
        return {}
    return dict(zip(table["relative"].to_pylist(), table["sha256"].to_pylist(), strict=True))


def write_verified_hashes(facts: Mapping[str, FileFacts], workspace: Workspace) -> None:
    """Remember the files that are right."""
    good = {relative: fact.sha256 for relative, fact in facts.items() if fact.problem is None}
    table = pa.table([list(good), list(good.values())], schema=VERIFIED_FILE.columns)
    write_table(_file(workspace), table, VERIFIED_FILE, {"code": _code()})
    write_checksum(_file(workspace))


def _code() -> str:
    return code_version("tryon.download.validate_files")


def _file(workspace: Workspace) -> Path:
    return workspace.work_dir("checks") / "passed.parquet"
