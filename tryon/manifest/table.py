"""Read and write tables as parquet files; kind and version are checked, and equal rows give equal bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tryon.errors import MissingInputError, TryOnError
from tryon.manifest.schemas import TableSchema
from tryon.runtime.atomic_files import atomic_file, disk_error

ROW_GROUP = 256
"""Rows per row group: packed rows are tens of kB each, so a group stays around 10 MB."""


def table_from_rows(rows: Iterable[Mapping[str, Any]], schema: TableSchema) -> pa.Table:
    """Build a table of `schema` from dictionaries; missing keys become null."""
    rows = list(rows)
    unknown = {key for row in rows for key in row} - set(schema.columns.names)
    assert not unknown, f"not columns of {schema.kind}: {sorted(unknown)}"
    columns = {field.name: pa.array([row.get(field.name) for row in rows], field.type) for field in schema.columns}
    return pa.table(columns, schema=schema.columns)


def write_table(path: Path, table: pa.Table, schema: TableSchema, metadata: Mapping[str, str] | None = None) -> None:
    """Write `table` to `path` atomically, with the schema's kind and version and `metadata` in the file.

    Images and masks are compressed already, so their columns are stored uncompressed and can be memory-mapped.
    """
    write_tables(path, [table], schema, metadata)


def write_tables(
    path: Path, tables: Iterable[pa.Table], schema: TableSchema, metadata: Mapping[str, str] | None = None
) -> None:
    """Write several tables as one, a row group or more each, with one of them in memory at a time."""
    metadata = {"kind": schema.kind, "version": str(schema.version), **(metadata or {})}
    columns = schema.columns.with_metadata(metadata)
    with atomic_file(path) as temporary, pq.ParquetWriter(temporary, columns, **_storage_options(schema)) as writer:
        for table in tables:
            writer.write_table(table.cast(schema.columns).replace_schema_metadata(metadata), row_group_size=ROW_GROUP)


def _storage_options(schema: TableSchema) -> dict[str, Any]:
    binary = {
        field.name for field in schema.columns if pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type)
    }
    return {
        "compression": {_leaf(field): "NONE" if field.name in binary else "ZSTD" for field in schema.columns},
        "use_dictionary": [_leaf(field) for field in schema.columns if pa.types.is_string(field.type)],
        "write_statistics": False,
        "write_page_checksum": True,
    }


def _leaf(field: pa.Field) -> str:
    """Return parquet's name of a column's values."""
    return f"{field.name}.list.element" if pa.types.is_fixed_size_list(field.type) else field.name


def read_table(path: Path, schema: TableSchema, columns: list[str] | None = None, made_by: str = "") -> pa.Table:
    """Read a table of `schema`, memory-mapped.

    Args:
        columns: to read, None for all.
        made_by: command that writes this very file, if it is more specific than the schema's.

    Raises:
        MissingInputError: the file does not exist.
        TryOnError: it is a table of another kind or version, damaged or not readable.
    """
    command = made_by or schema.made_by or "dvc repro"
    if not path.is_file():
        raise MissingInputError(f"{path} not found", hint=f"Run `{command}` first.")
    metadata = read_metadata(path, command)
    actual = (metadata.get("kind"), metadata.get("version"))
    if actual != (schema.kind, str(schema.version)):
        raise TryOnError(
            f"{path} is not a {schema.kind} table of version {schema.version}",
            found=actual,
            hint=f"Run `{command}` again with this version of the code.",
        )
    try:
        return pq.read_table(path, columns=columns, memory_map=True, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise unreadable_table(path, error, command) from error


def read_metadata(path: Path, made_by: str = "") -> dict[str, str]:
    """Read the metadata of a table written by `write_table`.

    Raises:
        TryOnError: the file does not exist, is not a parquet file or not readable.
    """
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (pa.ArrowException, OSError) as error:
        raise unreadable_table(path, error, made_by) from error
    return {key.decode(errors="replace"): value.decode(errors="replace") for key, value in metadata.items()}


def unreadable_table(path: Path, error: Exception, made_by: str) -> TryOnError:
    """Build the error for a table that cannot be read: a disk error, or a damaged file."""
    if isinstance(error, OSError):
        error.filename = error.filename or str(path)  # pyarrow does not set it
        if result := disk_error(error):
            return result
    hint = f"Run `{made_by or 'dvc repro'}` again."
    return TryOnError(f"{path} is not a complete parquet table", found=str(error), hint=hint)
