"""Read and write tables as Parquet, or as Arrow IPC if the path ends in `.arrow`; equal rows give equal bytes.

Every file holds the kind and version of its schema, which are checked when it is read. Packed images are stored as
Arrow IPC: uncompressed record batches are memory-mapped without a copy. That format has no checksums, so each batch
carries the CRC-32 of its columns as custom metadata.
"""

from __future__ import annotations

import zlib
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

_READ_ERRORS = (pa.ArrowException, OSError, KeyError, UnicodeDecodeError)  # the last two: damaged column names


def table_from_rows(rows: Iterable[Mapping[str, Any]], schema: TableSchema) -> pa.Table:
    """Build a table of `schema` from dictionaries; missing keys become null."""
    rows = list(rows)
    unknown = {key for row in rows for key in row} - set(schema.columns.names)
    assert not unknown, f"not columns of {schema.kind}: {sorted(unknown)}"
    columns = {field.name: pa.array([row.get(field.name) for row in rows], field.type) for field in schema.columns}
    return pa.table(columns, schema=schema.columns)


def write_table(path: Path, table: pa.Table, schema: TableSchema, metadata: Mapping[str, str] | None = None) -> None:
    """Write `table` to `path` atomically, with the schema's kind, its version and `metadata` in the file."""
    write_tables(path, [table], schema, metadata)


def write_tables(
    path: Path, tables: Iterable[pa.Table], schema: TableSchema, metadata: Mapping[str, str] | None = None
) -> None:
    """Write several tables as one, each from a new row group or record batch on, with one in memory at a time."""
    file_metadata = {"kind": schema.kind, "version": str(schema.version), **(metadata or {})}
    columns = schema.columns.with_metadata(file_metadata)
    cast = (table.cast(schema.columns).replace_schema_metadata(file_metadata) for table in tables)
    with atomic_file(path) as temporary:
        (_write_arrow if _is_arrow(path) else _write_parquet)(temporary, cast, columns)


def _is_arrow(path: Path) -> bool:
    return path.suffix == ".arrow"


def _write_parquet(path: Path, tables: Iterable[pa.Table], columns: pa.Schema) -> None:
    with pq.ParquetWriter(path, columns, **_parquet_options(columns)) as writer:
        for table in tables:
            writer.write_table(table, row_group_size=ROW_GROUP)


def _write_arrow(path: Path, tables: Iterable[pa.Table], columns: pa.Schema) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, columns) as writer:
        for table in tables:
            for batch in table.combine_chunks().to_batches(max_chunksize=ROW_GROUP):
                stored = pa.ipc.read_record_batch(batch.serialize(), columns)  # buffers trimmed as in the file
                checksums = {name: _checksum(stored.column(name)) for name in columns.names}
                writer.write_batch(stored, custom_metadata=checksums)


def _checksum(column: pa.Array) -> str:
    """Return the CRC-32 of a column's length, null count, buffer sizes and buffers, in hexadecimal."""
    buffers = column.buffers()
    sizes = [None if buffer is None else buffer.size for buffer in buffers]
    crc = zlib.crc32(f"{len(column)} {column.null_count} {sizes}".encode())
    for buffer in buffers:
        crc = zlib.crc32(buffer or b"", crc)
    return f"{crc:08x}"


def _parquet_options(columns: pa.Schema) -> dict[str, Any]:
    """Compress all columns but binary ones, which hold images and masks that are compressed already."""
    binary = [field.name for field in columns if pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type)]
    return {
        "compression": {_leaf(field): "NONE" if field.name in binary else "ZSTD" for field in columns},
        "use_dictionary": [_leaf(field) for field in columns if pa.types.is_string(field.type)],
        "write_statistics": False,
        "write_page_checksum": True,
    }


def _leaf(field: pa.Field) -> str:
    """Return parquet's name of a column's values."""
    return f"{field.name}.list.element" if pa.types.is_fixed_size_list(field.type) else field.name


def read_table(path: Path, schema: TableSchema, columns: list[str] | None = None, made_by: str = "") -> pa.Table:
    """Read a table of `schema`, memory-mapped; the columns of an Arrow file are views into it.

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
        if _is_arrow(path):
            return _read_arrow(
                path, pa.schema([schema.columns.field(name) for name in columns or schema.columns.names])
            )
        return pq.read_table(path, columns=columns, memory_map=True, page_checksum_verification=True)
    except _READ_ERRORS as error:
        raise unreadable_table(path, error, command) from error


def _read_schema(path: Path) -> pa.Schema:
    if not _is_arrow(path):
        return pq.read_schema(path)
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).schema


def _read_arrow(path: Path, columns: pa.Schema) -> pa.Table:
    """Memory-map columns of an Arrow IPC file and compare each with its checksum."""
    with pa.memory_map(str(path)) as source:
        reader = pa.ipc.open_file(source)
        batches = [_read_batch(reader, index, columns.names) for index in range(reader.num_record_batches)]
    return pa.Table.from_batches(batches, columns)


def _read_batch(reader: pa.ipc.RecordBatchFileReader, index: int, names: list[str]) -> pa.RecordBatch:
    stored, checksums = reader.get_batch_with_custom_metadata(index)
    batch = stored.select(names).replace_schema_metadata(None)
    batch.validate(full=True)  # before a buffer is read by the length stored in the file
    for name in names:
        if _checksum(batch.column(name)) != (checksums or {}).get(name.encode(), b"").decode(errors="replace"):
            raise pa.ArrowInvalid(f"checksum mismatch in record batch {index}, column {name}")
    return batch


def read_metadata(path: Path, made_by: str = "") -> dict[str, str]:
    """Read the metadata of a table written by `write_table`.

    Raises:
        TryOnError: the file does not exist, is damaged or not readable.
    """
    try:
        raw = _read_schema(path).metadata or {}
    except _READ_ERRORS as error:
        raise unreadable_table(path, error, made_by) from error
    return {key.decode(errors="replace"): value.decode(errors="replace") for key, value in raw.items()}


def unreadable_table(path: Path, error: Exception, made_by: str) -> TryOnError:
    """Build the error for a table that cannot be read: a disk error, or a damaged file."""
    if isinstance(error, OSError):
        error.filename = error.filename or str(path)  # pyarrow does not set it
        if result := disk_error(error):
            return result
    kind = "an Arrow" if _is_arrow(path) else "a Parquet"
    hint = f"Run `{made_by or 'dvc repro'}` again."
    return TryOnError(f"{path} is damaged or not {kind} file", found=str(error), hint=hint)
