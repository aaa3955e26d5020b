from __future__ import annotations

import errno
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tryon.errors import DiskError, MissingInputError, TryOnError
from tryon.manifest import (
    FINDINGS,
    INDEX,
    MANIFEST,
    MASK_PREVIEWS,
    PACKED,
    TableSchema,
    read_metadata,
    read_table,
    table_from_rows,
    write_table,
    write_tables,
)
from tryon.manifest.table import ROW_GROUP

SCHEMAS = [INDEX, FINDINGS, MANIFEST, PACKED]


def value(field: pa.Field, number: int) -> object:
    """Something of the column's type; every third is null where nulls are allowed."""
    if field.nullable and number % 3 == 0:
        return None
    if pa.types.is_string(field.type):
        return f"{field.name} {number % 5} ü"
    if pa.types.is_integer(field.type):
        return number % 100
    if pa.types.is_floating(field.type):
        return number / 4
    if pa.types.is_fixed_size_list(field.type):
        return [number + index / 2 for index in range(field.type.list_size)]
    return bytes([number % 256]) * (number % 7)


def rows_of(schema: TableSchema, count: int) -> list[dict]:
    return [{field.name: value(field, number) for field in schema.columns} for number in range(count)]


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.kind)
@pytest.mark.parametrize("count", [0, 1, 7, ROW_GROUP + 5])
def test_round_trip(tmp_path: Path, schema: TableSchema, count: int) -> None:
    path, rows = tmp_path / "deep" / "table.parquet", rows_of(schema, count)
    write_table(path, table_from_rows(rows, schema), schema, {"images": "png"})
    table = read_table(path, schema)
    assert table.to_pylist() == rows
    assert table.schema.equals(schema.columns)
    assert read_metadata(path).items() >= {
        "kind": schema.kind, "version": str(schema.version), "images": "png"
    }.items()  # fmt: skip


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.kind)
def test_the_same_rows_give_the_same_bytes(tmp_path: Path, schema: TableSchema) -> None:
    for name in ("a", "b"):
        write_table(tmp_path / name, table_from_rows(rows_of(schema, 9), schema), schema)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_write_tables_equals_write_table(tmp_path: Path) -> None:
    rows = rows_of(PACKED, 2 * ROW_GROUP)
    whole, pieces = tmp_path / "whole", tmp_path / "pieces"
    write_table(whole, table_from_rows(rows, PACKED), PACKED)
    parts = (table_from_rows(rows[start : start + ROW_GROUP], PACKED) for start in (0, ROW_GROUP))
    write_tables(pieces, parts, PACKED)
    assert pieces.read_bytes() == whole.read_bytes()
    write_tables(pieces, [], PACKED)
    assert read_table(pieces, PACKED).num_rows == 0


def test_missing_keys_are_null_and_unknown_keys_are_an_assertion() -> None:
    assert table_from_rows([{"problem": "file not found"}], FINDINGS).to_pylist()[0]["file"] is None
    with pytest.raises(AssertionError, match="unknown_column"):
        table_from_rows([{"unknown_column": "file not found"}], FINDINGS)


def test_null_in_a_required_column_is_not_written(tmp_path: Path) -> None:
    row = rows_of(INDEX, 2)[1] | {"pair_id": None}
    with pytest.raises((pa.ArrowInvalid, ValueError)):
        write_table(tmp_path / "t", table_from_rows([row], INDEX), INDEX)
    assert list(tmp_path.iterdir()) == []


def test_missing_table_names_its_command(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="tryon download"):
        read_table(tmp_path / "none.parquet", INDEX, made_by="tryon download")


def test_rejects_other_kind_or_version(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    write_table(path, table_from_rows([], FINDINGS), FINDINGS)
    with pytest.raises(TryOnError, match="index table of version 4"):
        read_table(path, INDEX)
    newer = TableSchema(FINDINGS.kind, FINDINGS.version + 1, FINDINGS.columns)
    write_table(path, table_from_rows([], newer), newer)
    with pytest.raises(TryOnError, match="version"):
        read_table(path, FINDINGS)
    pq.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(TryOnError, match="version"):
        read_table(path, FINDINGS)


@pytest.mark.parametrize("keep", [0, 10, -1])
def test_rejects_truncated_file(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "table.parquet"
    write_table(path, table_from_rows(rows_of(FINDINGS, 3), FINDINGS), FINDINGS)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(TryOnError, match=r"table\.parquet"):
        read_table(path, FINDINGS)


def test_rejects_damaged_page(tmp_path: Path) -> None:
    path, rows = tmp_path / "table.parquet", rows_of(PACKED, 4)
    rows[1]["person"] = bytes(range(256))
    write_table(path, table_from_rows(rows, PACKED), PACKED)
    data = bytearray(path.read_bytes())
    data[data.index(rows[1]["person"]) + 100] ^= 1
    path.write_bytes(data)
    with pytest.raises(TryOnError, match=r"table\.parquet.*Run `tryon sample` again"):
        read_table(path, PACKED, made_by="tryon sample")


@pytest.mark.parametrize(
    ("schema", "command"),
    [
        (INDEX, "tryon download"),
        (FINDINGS, "tryon download"),
        (MANIFEST, "tryon agnostic"),
        (MASK_PREVIEWS, "tryon agnostic"),
        (PACKED, "tryon sample"),
    ],
)
def test_every_error_names_the_command_that_writes_the_table(tmp_path: Path, schema: TableSchema, command: str) -> None:
    path = tmp_path / "table.parquet"
    for content in (None, b"", b"PAR1 no table PAR1"):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(TryOnError, match=f"Run `{command}`"):
            read_table(path, schema)
        with pytest.raises(TryOnError, match="Run `dvc repro`"):
            read_metadata(path)
    older = TableSchema(schema.kind, schema.version - 1, schema.columns)
    write_table(path, table_from_rows([], older), older)
    with pytest.raises(TryOnError, match=f"Run `{command}` again with this version of the code"):
        read_table(path, schema)


def test_permission_error_is_a_disk_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "table.parquet"
    write_table(path, table_from_rows([], FINDINGS), FINDINGS)

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(pq, "read_schema", refused)
    with pytest.raises(DiskError, match=r"table\.parquet"):
        read_table(path, FINDINGS)


def test_failed_write_keeps_the_old_table(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    write_table(path, table_from_rows(rows_of(PACKED, 3), PACKED), PACKED)
    before = path.read_bytes()

    def pieces():
        yield table_from_rows(rows_of(PACKED, 5), PACKED)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_tables(path, pieces(), PACKED)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_images_are_stored_uncompressed(tmp_path: Path) -> None:
    path, rows = tmp_path / "t.parquet", rows_of(PACKED, 4)
    rows[1]["person"] = bytes(range(256)) * 4
    write_table(path, table_from_rows(rows, PACKED), PACKED)
    assert rows[1]["person"] in path.read_bytes()
