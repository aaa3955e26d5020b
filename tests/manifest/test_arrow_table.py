"""Tables as Arrow IPC files: memory-mapped zero-copy, and damage anywhere in a file is detected."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tryon.errors import MissingInputError, TryOnError
from tryon.manifest import PACKED, TableSchema, read_metadata, read_table, table_from_rows, write_table, write_tables
from tryon.manifest.table import ROW_GROUP

SCHEMA = TableSchema(
    "mapped",
    1,
    pa.schema([pa.field("needed", pa.large_binary(), nullable=False), pa.field("optional", pa.large_binary())]),
    "tryon sample",
)
VALUES = st.binary(max_size=40)
Rows = list[tuple[bytes, bytes | None]]


def write(path: Path, groups: list[Rows]) -> Path:
    tables = [table_from_rows([{"needed": n, "optional": o} for n, o in group], SCHEMA) for group in groups]
    write_tables(path, tables, SCHEMA)
    return path


def read(path: Path) -> Rows:
    return [(row["needed"], row["optional"]) for row in read_table(path, SCHEMA).to_pylist()]


@given(st.lists(st.lists(st.tuples(VALUES, st.none() | VALUES), min_size=1, max_size=40), min_size=1, max_size=3))
@settings(max_examples=50, deadline=None)
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, groups: list[Rows]) -> None:
    path = write(tmp_path_factory.mktemp("arrow") / "table.arrow", groups)
    assert read(path) == [row for group in groups for row in group]


def test_any_arrow_reader_can_open_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "table.arrow", [[(b"a", None)], [(b"b", b"c")]])
    table = pa.ipc.open_file(path).read_all()
    assert table.to_pylist() == [{"needed": b"a", "optional": None}, {"needed": b"b", "optional": b"c"}]
    assert read_metadata(path) == {"kind": "mapped", "version": "1"}


def test_reading_allocates_no_values(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    values: Rows = [(rng.bytes(int(size)), None) for size in rng.integers(0, 200_000, 60)]
    path = write(tmp_path / "table.arrow", [values])
    before = pa.total_allocated_bytes()
    table = read_table(path, SCHEMA)
    buffers = [table.column("needed")[row].as_buffer() for row in range(60)]
    assert pa.total_allocated_bytes() - before < 10_000
    assert [bytes(buffer) for buffer in buffers] == [needed for needed, _ in values]


def test_long_tables_have_several_batches(tmp_path: Path) -> None:
    path = write(tmp_path / "table.arrow", [[(b"%d" % row, None) for row in range(ROW_GROUP + 5)]])
    assert pa.ipc.open_file(path).num_record_batches == 2
    assert read(path)[-1] == (b"%d" % (ROW_GROUP + 4), None)


def test_batches_do_not_depend_on_how_the_table_was_sliced(tmp_path: Path) -> None:
    rows: Rows = [(bytes([row] * row), None if row % 3 else b"x") for row in range(40)]
    whole, sliced = write(tmp_path / "whole.arrow", [rows[7:]]), tmp_path / "sliced.arrow"
    table = table_from_rows([{"needed": n, "optional": o} for n, o in rows], SCHEMA)
    write_table(sliced, table.slice(7), SCHEMA)
    assert read(sliced) == read(whole) == rows[7:]


def test_columns_of_another_type_are_rejected(tmp_path: Path) -> None:
    other = TableSchema("mapped", 1, pa.schema([pa.field("needed", pa.string()), *list(SCHEMA.columns)[1:]]))
    path = tmp_path / "table.arrow"
    write_table(path, table_from_rows([{"needed": "a"}], other), other)
    with pytest.raises(TryOnError, match="damaged") as error:
        read_table(path, SCHEMA)
    assert (error.value.problem.split()[0], error.value.hint) == (str(path), "Run `tryon sample` again.")


def test_file_without_checksums_is_rejected(tmp_path: Path) -> None:
    path = write(tmp_path / "table.arrow", [[(b"a", None)]])
    table = pa.ipc.open_file(path).read_all()
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(TryOnError, match="checksum"):
        read_table(path, SCHEMA)


def test_missing_file_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="tryon sample"):
        read_table(tmp_path / "none.arrow", PACKED)


def test_parquet_under_the_name_of_an_arrow_file_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "table.arrow"
    pq.write_table(table_from_rows([{"needed": b"a"}], SCHEMA), path)
    with pytest.raises(TryOnError, match="not an Arrow file"):
        read_table(path, SCHEMA)


@pytest.mark.parametrize("keep", [0, 10, 300, -1])
def test_truncated_file_names_the_command(tmp_path: Path, keep: int) -> None:
    path = write(tmp_path / "table.arrow", [[(b"a" * 100, None)] * 5])
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(TryOnError, match="Run `") as error:
        read_table(path, SCHEMA)
    assert str(path) in error.value.problem


def test_damage_anywhere_never_changes_values(tmp_path: Path) -> None:
    """With any byte of the file changed, reading fails with an error or gives the values that were written."""
    rows: Rows = [(bytes([number] * 30), None if number % 2 else b"yes") for number in range(8)]
    path = write(tmp_path / "table.arrow", [rows])
    original = path.read_bytes()
    detected = 0
    for position in range(len(original)):
        for flipped in (0x15, 0x80):
            damaged = bytearray(original)
            damaged[position] ^= flipped
            path.write_bytes(damaged)
            try:
                assert read(path) == rows, position
            except TryOnError:
                detected += 1
    assert detected > len(original)
