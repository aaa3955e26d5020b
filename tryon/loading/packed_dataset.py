"""Data set of packed rows, decoded to 8-bit arrays on access."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tryon.categories import Category
from tryon.dresscode.readers import UnreadableError, decode_photo
from tryon.errors import MissingInputError, TryOnError
from tryon.manifest import PACKED, read_table

MADE_BY = "tryon sample"

TRAINING_COLUMNS = (
    "pair_id", "category", "person", "garment", "mask", "garment_mask", "background", "keypoints", "height", "width",
)  # fmt: skip
"""Columns that training reads."""


@dataclass(frozen=True)
class Sample:
    """One decoded row.

    Shapes: person, garment uint8 (H, W, 3) RGB; mask (True = masked), garment_mask bool (H, W); keypoints float32
    (18, 3): x, y in pixels, score. `mirrored`: to be mirrored, see `tryon.loading.transforms`.
    """

    pair_id: str
    category: Category
    person: NDArray[np.uint8]
    garment: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    garment_mask: NDArray[np.bool_]
    keypoints: NDArray[np.float32]
    mirrored: bool = False


class PackedDataset:
    """Rows of a packed table. Images and masks stay in the memory-mapped file until a row is decoded.

    Args:
        stored: columns of a table of schema `PACKED`.
        name: of the data set in messages, usually the file's path.
        positions: int64 (n,), rows of `stored` that belong to the data set; None for all.

    Attributes:
        table: the columns that are not binary, for the rows of the data set.

    Raises:
        TryOnError: image sizes differ between rows.
    """

    def __init__(self, stored: pa.Table, name: str, positions: NDArray[np.int64] | None = None) -> None:
        self.name = name
        self._stored = stored
        self._positions = np.arange(len(stored)) if positions is None else positions
        small = [field.name for field in stored.schema if not pa.types.is_large_binary(field.type)]
        self.table = stored.select(small) if positions is None else stored.select(small).take(pa.array(positions))
        self._binary = {name: stored.column(name) for name in stored.column_names if name not in small}
        heights, widths = (self.table.column(side).unique().to_pylist() for side in ("height", "width"))
        if len(heights) > 1 or len(widths) > 1:
            raise TryOnError(
                f"{name} mixes image sizes",
                found=(heights, widths),
                expected="one height and one width",
                hint=f"Run `{MADE_BY}` again.",
            )
        self._size = (heights[0], widths[0]) if len(self.table) else None

    @classmethod
    def read(cls, path: Path, columns: Sequence[str] = TRAINING_COLUMNS) -> PackedDataset:
        """Open a subset file.

        Raises:
            MissingInputError: the file is missing.
            TryOnError: the file is damaged or not a packed table.
        """
        return cls(read_table(path, PACKED, list(columns), made_by=MADE_BY), str(path))

    def __len__(self) -> int:
        return self.table.num_rows

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of every row in pixels."""
        self.require_non_empty()
        assert self._size is not None
        return self._size

    @property
    def categories(self) -> list[Category]:
        """Category of every row."""
        return [Category(value) for value in self.table.column("category").to_pylist()]

    def select_category(self, category: Category) -> PackedDataset:
        """Select the rows of one category, in the same order."""
        selected = np.flatnonzero([value == category for value in self.categories])
        return PackedDataset(self._stored, f"{self.name} ({category})", self._positions[selected])

    def require_non_empty(self) -> None:
        """Raise MissingInputError if the data set is empty."""
        if not len(self):
            hint = f"Check the manifests for rejected rows, then run `{MADE_BY}` again."
            raise MissingInputError(f"{self.name} has no rows", hint=hint)

    def sample(self, index: int) -> Sample:
        """Decode row `index`; raise TryOnError if an image of it is damaged."""
        return Sample(
            pair_id=self.text("pair_id", index),
            category=Category(self.text("category", index)),
            person=self.image("person", index),
            garment=self.image("garment", index),
            mask=self.mask("mask", index),
            garment_mask=self.mask("garment_mask", index),
            keypoints=self.keypoints(index),
        )

    @cached_property
    def _all_keypoints(self) -> NDArray[np.float32]:
        values = self.table.column("keypoints").combine_chunks().flatten()
        return np.array(values, np.float32).reshape(-1, 18, 3)

    def text(self, column: str, index: int) -> str:
        """Return a text value that is never null."""
        return self.table.column(column)[index].as_py()

    def keypoints(self, index: int) -> NDArray[np.float32]:
        """Return key points, float32 (18, 3): x, y in pixels, score."""
        return self._all_keypoints[index].copy()

    def has(self, column: str, index: int) -> bool:
        """Return whether row `index` has a value in the binary column."""
        return self._scalar(column, index).is_valid

    def image(self, column: str, index: int) -> NDArray[np.uint8]:
        """Decode an image column, uint8 (H, W, 3) RGB; raise TryOnError if missing, damaged or of another size."""
        try:
            image = decode_photo(bytes(self.encoded(column, index)))
        except UnreadableError as error:
            raise self._row_error(column, index, f"cannot be decoded ({error.problem})", error.found) from error
        if image.shape[:2] != self.size:
            raise self._row_error(column, index, "has a wrong size", image.shape[:2], f"{self.size}, height and width")
        return image

    def mask(self, column: str, index: int) -> NDArray[np.bool_]:
        """Unpack a mask column, bool (H, W); raise TryOnError if it is missing or of another size."""
        height, width = self.size
        packed = np.frombuffer(self.encoded(column, index), np.uint8)
        num_bytes = -(-height * width // 8)
        if len(packed) != num_bytes:  # unpackbits would pad with zeros
            raise self._row_error(
                column, index, "has a wrong size", f"{len(packed)} bytes", f"{num_bytes} bytes for {height}x{width}"
            )
        return np.unpackbits(packed, count=height * width).reshape(height, width).view(np.bool_)

    def encoded(self, column: str, index: int) -> memoryview:
        """Return the stored bytes of an image or mask, a view into the file; raise TryOnError if missing."""
        value = self._scalar(column, index)
        if not value.is_valid:
            raise self._row_error(column, index, "is missing")
        return memoryview(value.as_buffer())

    def _scalar(self, column: str, index: int) -> pa.LargeBinaryScalar:
        return self._binary[column][int(self._positions[index])]

    def _row_error(self, column: str, index: int, problem: str, found: object = None, expected: str = "") -> TryOnError:
        return TryOnError(
            f"{column} of pair {self.text('pair_id', index)} in {self.name} {problem}",
            found=found,
            expected=expected,
            hint=f"Run `{MADE_BY}` again.",
        )
