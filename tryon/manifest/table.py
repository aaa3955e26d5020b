"""Read and write the tables: parquet, schema and version checked on both sides, the same rows giving the same bytes."""

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
    """Build a table of `schema` from dictionaries; absent keys are null, unknown keys are an error."""
    rows = list(rows)
    unknown = {key for row in rows for key in row} - set(schema.columns.names)
    assert not unknown, f"not columns of {schema.kind}: {sorted(unknown)}"
    columns = {field.name: pa.array([row.get(field.name) for row in rows], field.type) for field in schema.columns}
    return pa.table(columns, schema=schema.columns)


def write_table(path: Path, table: pa.Table, schema: TableSchema, metadata: Mapping[str, str] | None = None) -> None:
    """Write `table` to `path` atomically, with the schema's kind, its version and `metadata` in the file.

    Images and masks are compressed already, so their columns are stored as they are and can be memory-mapped.
    """
    write_tables(path, [table], schema, metadata)


def write_tables(
    path: Path, tables: Iterable[pa.Table], schema: TableSchema, metadata: Mapping[str, str] | None = None
) -> None:
    """Write many tables as one, as `write_table` does, holding no more than one of them in memory.

    Each table starts a new row group.
    """
    marks = {"kind": schema.kind, "version": str(schema.version), **(metadata or {})}
    marked = schema.columns.with_metadata(marks)
    with atomic_file(path) as temporary, pq.ParquetWriter(temporary, marked, **_storage(schema)) as writer:
        for table in tables:
            writer.write_table(table.cast(schema.columns).replace_schema_metadata(marks), row_group_size=ROW_GROUP)


def _storage(schema: TableSchema) -> dict[str, Any]:
    """How each column is stored."""
    binary = [
        field.name for field in schema.columns if pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type)
    ]
    return {
        "compression": {_leaf(field): "NONE" if field.name in binary else "ZSTD" for field in schema.columns},
        "use_dictionary": [_leaf(field) for field in schema.columns if pa.types.is_string(field.type)],
        "write_statistics": False,
        "write_page_checksum": True,
    }


def read_table(path: Path, schema: TableSchema, columns: list[str] | None = None, made_by: str = "") -> pa.Table:
    """Read a table of `schema`, memory-mapped.

    Args:
        path: the file.
        schema: what it must be.
        columns: read only these; one that may be null and that the file lacks comes last, as nulls.
        made_by: the command that makes this very file, where that is more than the schema's.

    Raises:
        MissingInputError: there is no such file.
        TryOnError: it is not a table of this kind and version, it is damaged, or it may not be read.
    """
    made_by = made_by or schema.made_by
    _check_marks(path, schema, made_by)
    try:
        lacking = _missing_columns(path, schema, columns)
        kept = [name for name in columns or schema.columns.names if name not in lacking] if lacking else columns
        table = pq.read_table(path, columns=kept, memory_map=True, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error, made_by) from error
    for name in lacking:
        field = schema.columns.field(name)
        table = table.append_column(field, pa.nulls(len(table), field.type))
    return table


def _missing_columns(path: Path, schema: TableSchema, columns: list[str] | None) -> list[str]:
    """Columns wanted that may be null and that the file does not have, because it is of an older version."""
    there = set(pq.read_schema(path).names)
    return [
        name for name in columns or schema.columns.names if name not in there and schema.columns.field(name).nullable
    ]


def read_metadata(path: Path, made_by: str = "") -> dict[str, str]:
    """Metadata that `write_table` put into the file.

    Args:
        path: the file.
        made_by: the command that makes it.

    Raises:
        TryOnError: it is not there, is no parquet file or may not be read.
    """
    try:
        raw = pq.read_schema(path).metadata or {}
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error, made_by) from error
    return {key.decode(errors="replace"): value.decode(errors="replace") for key, value in raw.items()}


def _unreadable(path: Path, error: Exception, made_by: str) -> TryOnError:
    """What to tell of a table that does not read: the disk refuses it, or it is damaged."""
    if isinstance(error, OSError):
        error.filename = error.filename or str(path)  # pyarrow names it in words only
        if told := disk_error(error):
            return told
    return TryOnError(str(path), expected="is a whole parquet table", found=str(error), hint=_again(made_by))


def _again(made_by: str, words: str = "") -> str:
    return f"Run `{made_by or 'dvc repro'}` again{words}."


def _check_marks(path: Path, schema: TableSchema, made_by: str) -> None:
    if not path.is_file():
        raise MissingInputError(str(path), expected="exists", hint=f"Run `{made_by or 'dvc repro'}` first.")
    marks = read_metadata(path, made_by)
    found = (marks.get("kind"), marks.get("version"))
    if found not in {(schema.kind, str(version)) for version in schema.readable}:
        rule = f"is a {schema.kind} table of version {schema.version}"
        raise TryOnError(str(path), expected=rule, found=found, hint=_again(made_by, " with this version of the code"))


def _leaf(field: pa.Field) -> str:
    """Parquet's name of a column's values."""
    return f"{field.name}.list.element" if pa.types.is_fixed_size_list(field.type) else field.name
