"""Binary columns of a parquet file read in place: the values' bytes stay in the file, mapped into memory.

Arrow copies a parquet column into memory of its own, here some GB for each process. Tables of this project store binary
columns plainly and without compression (`tryon.manifest.table`), so all that is needed is where each value lies: page
headers (Thrift's compact protocol) and lengths, as the Parquet format describes them.
"""

from __future__ import annotations

import mmap
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tryon.errors import TryOnError

_PLAIN = {"PLAIN", "RLE"}  # RLE: the levels that tell nulls
_DATA_PAGE = 0
_TYPE, _BYTES, _CRC, _DATA_HEADER = 1, 3, 4, 5  # fields of a page's header
_COUNT = 1  # field of a data page's header
_LENGTH = struct.Struct("<I")


@dataclass(frozen=True)
class MappedColumn:
    """A binary column; values are views into the file, nulls are None.

    Args:
        data: the whole file.
        starts: int64 (n,), where each value begins; -1 where it is null.
        lengths: int64 (n,), in bytes.
    """

    data: memoryview
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]

    def __getitem__(self, row: int) -> memoryview | None:
        start = int(self.starts[row])
        return None if start < 0 else self.data[start : start + int(self.lengths[row])]

    def take(self, rows: NDArray[np.int64]) -> MappedColumn:
        """The values of some rows, still in the file."""
        return MappedColumn(self.data, self.starts[rows], self.lengths[rows])


def map_columns(path: Path, names: Sequence[str], made_by: str) -> dict[str, MappedColumn]:
    """Map binary columns of a table that `tryon.manifest.write_table` wrote.

    Every page is compared with its checksum, once.

    Args:
        path: the file.
        names: of the columns.
        made_by: the command that makes the file, for messages.

    Raises:
        TryOnError: the file is damaged, or the columns are stored in another way.
    """
    try:
        with path.open("rb") as file, pq.ParquetFile(path) as table:
            data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            return {name: _map_column(data, table.metadata, name) for name in names}
    except (_UnexpectedError, LookupError, TypeError, struct.error) as error:
        rule = "is a whole parquet table with plain binary columns"
        raise TryOnError(str(path), expected=rule, found=str(error), hint=f"Run `{made_by}` again.") from error


class _UnexpectedError(Exception):
    """What the file holds is not what this module reads."""


def _map_column(data: memoryview, metadata: pq.FileMetaData, name: str) -> MappedColumn:
    if name not in metadata.schema.names:  # written before there was such a column: `tryon.manifest.schemas`
        return MappedColumn(data, np.full(metadata.num_rows, -1, np.int64), np.zeros(metadata.num_rows, np.int64))
    found: list[tuple[int, int]] = []
    column = metadata.schema.names.index(name)
    optional = metadata.schema.column(column).max_definition_level > 0
    for group in range(metadata.num_row_groups):
        chunk = metadata.row_group(group).column(column)
        if chunk.compression != "UNCOMPRESSED" or not set(chunk.encodings) <= _PLAIN:
            raise _UnexpectedError(f"{name} is stored as {chunk.compression}, {chunk.encodings}")
        for begin, end, count in _pages(data, chunk.data_page_offset, chunk.num_values):
            page = data[begin:end]
            present = _present(page, count) if optional else [True] * count
            _walk(page, begin, 4 + _LENGTH.unpack_from(page)[0] if optional else 0, present, found)
    starts, lengths = np.array(found, np.int64).reshape(-1, 2).T
    return MappedColumn(data, starts, lengths)


def _pages(data: memoryview, place: int, values: int) -> Iterator[tuple[int, int, int]]:
    """Begin, end and number of values of the pages of a column chunk."""
    while values > 0:
        header, begin = _struct(data, place)
        place = begin + header[_BYTES]
        if header[_TYPE] != _DATA_PAGE or not 0 < header[_DATA_HEADER][_COUNT] <= values:
            raise _UnexpectedError(f"a page of type {header[_TYPE]} at byte {begin}")
        if zlib.crc32(data[begin:place]) != header[_CRC] & 0xFFFFFFFF:
            raise _UnexpectedError(f"a page at byte {begin} differs from its checksum")
        yield begin, place, header[_DATA_HEADER][_COUNT]
        values -= header[_DATA_HEADER][_COUNT]


def _walk(page: memoryview, begin: int, place: int, present: list[bool], found: list[tuple[int, int]]) -> None:
    """Append start and length of a page's values: from `place` on each follows its length, nulls take no room."""
    for there in present:
        if there:
            length = _LENGTH.unpack_from(page, place)[0]
            found.append((begin + place + 4, length))
            place += 4 + length
        else:
            found.append((-1, 0))
    if place != len(page):
        raise _UnexpectedError(f"a page of {len(page)} bytes holds values of {place}")


def _present(page: memoryview, count: int) -> list[bool]:
    """Which values of a page of an optional column are there: runs of one level, and levels of 8 a byte, mixed."""
    levels: list[bool] = []
    place = 4
    while len(levels) < count:
        head, place = _varint(page, place)
        if head & 1:
            packed = np.frombuffer(page[place : place + (head >> 1)], np.uint8)
            levels += np.unpackbits(packed, bitorder="little").astype(bool).tolist()
            place += head >> 1
        else:
            levels += [bool(page[place])] * (head >> 1)
            place += 1
    return levels[:count]


def _struct(data: memoryview, place: int) -> tuple[dict[int, Any], int]:
    """Read a Thrift struct: its fields by number, and where it ends."""
    fields: dict[int, Any] = {}
    number = 0
    while head := data[place]:
        place += 1
        if head >> 4:
            number += head >> 4
        else:
            number, place = _zigzag(data, place)
        fields[number], place = _value(data, place, head & 15)
    return fields, place + 1


def _value(data: memoryview, place: int, kind: int) -> tuple[Any, int]:
    """Read one Thrift value of the kinds that page headers hold."""
    if kind in (1, 2):  # true, false
        return kind == 1, place
    if kind in (4, 5, 6):  # whole numbers of 16, 32, 64 bits
        return _zigzag(data, place)
    if kind == 8:  # bytes
        length, place = _varint(data, place)
        return data[place : place + length], place + length
    if kind == 12:
        return _struct(data, place)
    raise _UnexpectedError(f"a page header with a field of kind {kind}")


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte, place = data[place], place + 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, place


def _zigzag(data: memoryview, place: int) -> tuple[int, int]:
    value, place = _varint(data, place)
    return (value >> 1) ^ -(value & 1), place
