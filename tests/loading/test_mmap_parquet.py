"""Values read in place are those that Arrow reads; a damaged file is told apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tryon.errors import TryOnError
from tryon.loading.mmap_parquet import map_columns
from tryon.manifest import TableSchema, table_from_rows, write_tables

SCHEMA = TableSchema(
    "mapped",
    1,
    pa.schema([pa.field("needed", pa.large_binary(), nullable=False), pa.field("optional", pa.large_binary())]),
)
VALUES = st.binary(max_size=40)


def write(path: Path, groups: list[list[tuple[bytes, bytes | None]]]) -> Path:
    tables = [table_from_rows([{"needed": n, "optional": o} for n, o in group], SCHEMA) for group in groups]
    write_tables(path, tables, SCHEMA)
    return path


@given(st.lists(st.lists(st.tuples(VALUES, st.none() | VALUES), min_size=1, max_size=40), min_size=1, max_size=3))
@settings(max_examples=50, deadline=None)
def test_values_and_nulls_are_those_that_arrow_reads(
    tmp_path_factory: pytest.TempPathFactory, groups: list[list[tuple[bytes, bytes | None]]]
) -> None:
    path = write(tmp_path_factory.mktemp("mapped") / "table.parquet", groups)
    columns = map_columns(path, ["needed", "optional"], "tryon sample")
    table = pq.read_table(path)
    for name, column in columns.items():
        found = [None if (value := column[row]) is None else bytes(value) for row in range(len(table))]
        assert found == table.column(name).to_pylist()


def test_a_column_that_an_older_file_lacks_is_all_nulls(tmp_path: Path) -> None:
    path = write(tmp_path / "table.parquet", [[(b"a", None)], [(b"b", b"c")]])
    added = map_columns(path, ["added"], "tryon sample")["added"]
    assert [added[row] for row in range(2)] == [None, None]
    assert added.take(np.array([1]))[0] is None


def test_long_columns_have_several_pages(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    values = [rng.bytes(int(size)) for size in rng.integers(0, 200_000, 60)]
    optional = [None if number % 3 else value for number, value in enumerate(values)]
    path = write(tmp_path / "table.parquet", [list(zip(values, optional, strict=True))])
    columns = map_columns(path, ["optional", "needed"], "tryon sample")
    assert [bytes(columns["needed"][row] or b"") for row in range(60)] == values
    assert [columns["optional"][row] for row in range(60)] == optional


def test_rows_are_taken_without_copying(tmp_path: Path) -> None:
    path = write(tmp_path / "table.parquet", [[(b"a", None), (b"bb", b"x"), (b"ccc", None)]])
    column = map_columns(path, ["needed"], "tryon sample")["needed"].take(np.array([2, 0]))
    assert [bytes(column[row] or b"") for row in range(2)] == [b"ccc", b"a"]
    assert column[0].obj is column.data.obj  # pyright: ignore[reportOptionalMemberAccess]


@pytest.mark.parametrize("options", [{"compression": "zstd"}, {"compression": "none", "use_dictionary": True}])
def test_columns_stored_in_another_way_are_refused(tmp_path: Path, options: dict) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"needed": [b"a", b"a"]}), path, **options)
    with pytest.raises(TryOnError, match=r"plain binary columns .*tryon sample"):
        map_columns(path, ["needed"], "tryon sample")


def test_any_damage_of_the_values_is_found(tmp_path: Path) -> None:
    """Whatever byte before the file's end matter is changed: an error, or what Arrow reads too; never other values."""
    values = [(bytes([number] * 30), None if number % 2 else b"yes") for number in range(8)]
    path = write(tmp_path / "table.parquet", [values])
    whole = path.read_bytes()
    size = int.from_bytes(whole[-8:-4], "little")
    found = 0
    for place in range(4, len(whole) - 8 - size):
        damaged = bytearray(whole)
        damaged[place] ^= 0x15
        path.write_bytes(damaged)
        try:
            columns = map_columns(path, ["needed", "optional"], "tryon sample")
        except TryOnError:
            found += 1
            continue
        read = [tuple(columns[name][row] for name in ("needed", "optional")) for row in range(8)]
        assert read == values, place
    assert found > 300
