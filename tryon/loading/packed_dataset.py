"""Packed rows as a data set: each row decoded to 8-bit arrays when it is asked for."""

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
"""What training reads of a row."""


@dataclass(frozen=True)
class Sample:
    """One decoded row.

    Shapes: person, garment uint8 (H, W, 3) RGB; mask (True = hidden), garment_mask bool (H, W); keypoints float32
    (18, 3): x, y in pixels, score. `mirrored`: all of it is still to be mirrored (see `tryon.loading.transforms`).
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
        stored: table of schema `PACKED`, with the columns that are needed.
        name: of the data set in messages, usually the file's path.
        positions: int64 (n,), the rows of `stored` that belong to the data set; None for all.

    Raises:
        TryOnError: the rows are of several sizes.
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
        """Open the rows of a subset file.

        Raises:
            MissingInputError: there is no such file.
            TryOnError: it is not a packed table, or it is damaged.
        """
        return cls(read_table(path, PACKED, list(columns), made_by=MADE_BY), str(path))

    def __len__(self) -> int:
        return self.table.num_rows

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of every row in pixels."""
        self.require_non_empty()
        assert self._size is not None
        return self._size

    @property
    def categories(self) -> list[Category]:
        """Category of every row."""
        return [Category(value) for value in self.table.column("category").to_pylist()]

    def indices_of(self, category: Category) -> PackedDataset:
        """The rows of one category, in the same order."""
        selected = np.flatnonzero([value == category for value in self.categories])
        return PackedDataset(self._stored, f"{self.name} ({category})", self._positions[selected])

    def require_non_empty(self) -> None:
        """Stop when there are no rows.

        Raises:
            MissingInputError: there are none.
        """
        if not len(self):
            remedy = f"Look at the manifests for rejected rows, then run `{MADE_BY}` again."
            raise MissingInputError(self.name, expected="has at least one row", hint=remedy)

    def sample(self, index: int) -> Sample:
        """Decode row `index`.

        Raises:
            TryOnError: a image of the row is damaged.
        """
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
        """A text value that is never null."""
        return self.table.column(column)[index].as_py()

    def keypoints(self, index: int) -> NDArray[np.float32]:
        """Key points, float32 (18, 3): x, y in pixels, score."""
        return self._all_keypoints[index].copy()

    def has(self, column: str, index: int) -> bool:
        """Whether row `index` has a image or mask `column`."""
        return self._scalar(column, index).is_valid

    def image(self, column: str, index: int) -> NDArray[np.uint8]:
        """Decode a image column, uint8 (H, W, 3) RGB.

        Raises:
            TryOnError: the image is absent, damaged or of another size than its row says.
        """
        try:
            image = decode_photo(bytes(self.encoded(column, index)))
        except UnreadableError as error:
            raise self._damaged(column, index, error.expected, error.found) from error
        if image.shape[:2] != self.size:
            rule = f"is {self.size[0]}x{self.size[1]} (height x width)"
            raise self._damaged(column, index, rule, image.shape[:2])
        return image

    def mask(self, column: str, index: int) -> NDArray[np.bool_]:
        """Unpack a mask column, bool (H, W).

        Raises:
            TryOnError: the mask is absent or of another size than its row says.
        """
        height, width = self.size
        packed = np.frombuffer(self.encoded(column, index), np.uint8)
        if len(packed) != -(-height * width // 8):  # unpackbits would fill up with zeros
            rule = f"is the packed bits of {height}x{width} (height x width)"
            raise self._damaged(column, index, rule, f"{len(packed)} bytes")
        return np.unpackbits(packed, count=height * width).reshape(height, width).view(np.bool_)

    def encoded(self, column: str, index: int) -> memoryview:
        """The bytes of a image or mask as they lie in the file.

        Raises:
            TryOnError: it is absent.
        """
        value = self._scalar(column, index)
        if not value.is_valid:
            raise self._damaged(column, index, "is not empty", None)
        return memoryview(value.as_buffer())

    def _scalar(self, column: str, index: int) -> pa.LargeBinaryScalar:
        return self._binary[column][int(self._positions[index])]

    def _damaged(self, column: str, index: int, rule: str, value: object) -> TryOnError:
        row = f"{self.name}, pair {self.text('pair_id', index)}, {column}"
        return TryOnError(row, expected=rule, found=value, hint=f"Run `{MADE_BY}` again.")
