"""Read and write tables as Parquet, or as Arrow IPC where the path ends in `.arrow`.

Kind and version are checked on both sides, and the same rows give the same bytes. Arrow IPC is used for packed images:
uncompressed record batches are memory-mapped and read zero-copy. The format has no checksums, so each batch carries
the CRC-32 of its columns as custom metadata.
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
    """Build a table of `schema` from dictionaries; absent keys are null, unknown keys are an error."""
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
    """Write many tables as one, as `write_table` does, holding no more than one of them in memory.

    Each table starts a new row group or record batch.
    """
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
    """Return the CRC-32 of a column's buffers and of all that says how they are read."""
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


def read_table(path: Path, schema: TableSchema, columns: list[str] | None = None, made_by: str = "") -> pa.Table:
    """Read a table of `schema`, memory-mapped; the columns of an Arrow file are views into it.

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
    version = _check_marks(path, schema, made_by)
    names = schema.columns.names if columns is None else columns
    try:
        in_file = set(_read_schema(path).names)
        missing = [name for name in names if name not in in_file and schema.columns.field(name).nullable]
        if missing and version == schema.version:  # only an older version may lack a column
            raise pa.ArrowInvalid(f"no column {', '.join(missing)}")
        stored = [name for name in names if name not in missing]
        if _is_arrow(path):
            table = _read_arrow(path, pa.schema([schema.columns.field(name) for name in stored]))
        else:
            table = pq.read_table(path, columns=stored, memory_map=True, page_checksum_verification=True)
    except _READ_ERRORS as error:
        raise _unreadable(path, error, made_by) from error
    for name in missing:
        field = schema.columns.field(name)
        table = table.append_column(field, pa.nulls(len(table), field.type))
    return table


def _read_schema(path: Path) -> pa.Schema:
    if not _is_arrow(path):
        return pq.read_schema(path)
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).schema


def _read_arrow(path: Path, columns: pa.Schema) -> pa.Table:
    """Map columns of an Arrow IPC file, comparing every batch with its checksums.

    Raises:
        ArrowInvalid: the file is damaged.
    """
    with pa.memory_map(str(path)) as source:
        reader = pa.ipc.open_file(source)
        batches = [_read_batch(reader, number, columns) for number in range(reader.num_record_batches)]
    return pa.Table.from_batches(batches, columns)


def _read_batch(reader: pa.ipc.RecordBatchFileReader, number: int, columns: pa.Schema) -> pa.RecordBatch:
    stored, checksums = reader.get_batch_with_custom_metadata(number)
    batch = stored.select(columns.names).replace_schema_metadata(None)
    batch.validate(full=True)  # before any buffer is read by its length
    for name in columns.names:
        if _checksum(batch.column(name)) != (checksums or {}).get(name.encode(), b"").decode(errors="replace"):
            raise pa.ArrowInvalid(f"record batch {number}, column {name}: its bytes differ from their checksum")
    return batch


def read_metadata(path: Path, made_by: str = "") -> dict[str, str]:
    """Read the metadata that `write_table` put into the file.

    Args:
        path: the file.
        made_by: the command that makes it.

    Raises:
        TryOnError: it is not there, is not such a file or may not be read.
    """
    try:
        raw = _read_schema(path).metadata or {}
    except _READ_ERRORS as error:
        raise _unreadable(path, error, made_by) from error
    return {key.decode(errors="replace"): value.decode(errors="replace") for key, value in raw.items()}


def _unreadable(path: Path, error: Exception, made_by: str) -> TryOnError:
    """What to tell of a table that does not read: the disk refuses it, or it is damaged."""
    if isinstance(error, OSError):
        error.filename = error.filename or str(path)  # pyarrow names it in words only
        if told := disk_error(error):
            return told
    kind = "an Arrow" if _is_arrow(path) else "a Parquet"
    return TryOnError(f"{path} is damaged or not {kind} file", found=str(error), hint=_again(made_by))


def _again(made_by: str, words: str = "") -> str:
    return f"Run `{made_by or 'dvc repro'}` again{words}."


def _check_marks(path: Path, schema: TableSchema, made_by: str) -> int:
    """Check kind and version, and return the version."""
    if not path.is_file():
        raise MissingInputError(str(path), expected="exists", hint=f"Run `{made_by or 'dvc repro'}` first.")
    marks = read_metadata(path, made_by)
    found = (marks.get("kind"), marks.get("version"))
    if found not in {(schema.kind, str(version)) for version in schema.readable}:
        rule = f"is a {schema.kind} table of version {schema.version}"
        raise TryOnError(str(path), expected=rule, found=found, hint=_again(made_by, " with this version of the code"))
    return int(marks["version"])


def _leaf(field: pa.Field) -> str:
    """Parquet's name of a column's values."""
    return f"{field.name}.list.element" if pa.types.is_fixed_size_list(field.type) else field.name
