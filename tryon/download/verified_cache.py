"""Cache the hashes of verified files, so that only new files of a grown source are decoded.

Every file is still read and hashed. An entry is valid for one content and one version of the code.
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
    """Read the SHA-256 of verified files by path below `data/raw`; empty after a change of the code."""
    path = _cache_file(workspace)
    if not checksum_ok(path):
        return {}
    try:
        table = read_table(path, VERIFIED_FILE)
    except TryOnError:  # another version
        return {}
    if read_metadata(path).get("code") != _code():
        return {}
    return dict(zip(table["relative"].to_pylist(), table["sha256"].to_pylist(), strict=True))


def write_verified_hashes(facts: Mapping[str, FileFacts], workspace: Workspace) -> None:
    """Write the hashes of files without a problem."""
    verified = {relative: fact.sha256 for relative, fact in facts.items() if fact.problem is None}
    table = pa.table([list(verified), list(verified.values())], schema=VERIFIED_FILE.columns)
    write_table(_cache_file(workspace), table, VERIFIED_FILE, {"code": _code()})
    write_checksum(_cache_file(workspace))


def _code() -> str:
    return code_version("tryon.download.validate_files")


def _cache_file(workspace: Workspace) -> Path:
    return workspace.work_dir("checks") / "passed.parquet"
