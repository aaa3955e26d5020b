"""Packed rows as a data set: each row decoded to 8-bit arrays when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tryon.categories import Category
from tryon.dresscode.pose import draw_pose
from tryon.dresscode.readers import UnreadableError, decode_photo
from tryon.errors import MissingInputError, TryOnError
from tryon.loading.mirror import mirror_keypoints
from tryon.manifest import PACKED, read_table

MADE_BY = "tryon sample"

TRAINING_COLUMNS = ("pair_id", "category", "person", "garment", "mask", "garment_mask", "keypoints", "height", "width")
"""What training reads of a row."""


@dataclass(frozen=True)
class Example:
    """One decoded row. The pose picture is drawn mirrored already when asked so; nothing else is.

    Shapes: person, garment, pose uint8 (H, W, 3) RGB; mask (True = hidden), garment_mask bool (H, W).
    """

    pair_id: str
    category: Category
    person: NDArray[np.uint8]
    garment: NDArray[np.uint8]
    pose: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    garment_mask: NDArray[np.bool_]
    mirrored: bool = False


class PackedRows:
    """Rows of a packed table, by position.

    Args:
        table: of schema `PACKED`, with at least the columns that are asked for.
        name: stands in messages, usually the file's path.

    Raises:
        TryOnError: the rows are of several sizes.
    """

    def __init__(self, table: pa.Table, name: str) -> None:
        self.table, self.name = table, name
        heights, widths = (table.column(side).unique().to_pylist() for side in ("height", "width"))
        if len(heights) > 1 or len(widths) > 1:
            rule = "all rows have one height and one width"
            raise TryOnError(name, rule=rule, value=(heights, widths), remedy=f"Run `{MADE_BY}` again.")

    @classmethod
    def read(cls, path: Path, columns: Sequence[str] = TRAINING_COLUMNS) -> PackedRows:
        """Open the rows of a subset file.

        Raises:
            MissingInputError: there is no such file.
            TryOnError: it is not a packed table.
        """
        return cls(read_table(path, PACKED, list(columns), made_by=MADE_BY), str(path))

    def __len__(self) -> int:
        return self.table.num_rows

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of every row in pixels."""
        self.require_rows()
        return self.table.column("height")[0].as_py(), self.table.column("width")[0].as_py()

    @property
    def categories(self) -> list[Category]:
        """Category of every row."""
        return [Category(value) for value in self.table.column("category").to_pylist()]

    def of(self, category: Category) -> PackedRows:
        """The rows of one category, in the same order."""
        wanted = [number for number, own in enumerate(self.categories) if own == category]
        return PackedRows(self.table.take(pa.array(wanted, pa.int64())), f"{self.name} ({category})")

    def require_rows(self) -> None:
        """Stop when there are no rows.

        Raises:
            MissingInputError: there are none.
        """
        if not len(self):
            remedy = f"Look at the manifests for rejected rows, then run `{MADE_BY}` again."
            raise MissingInputError(self.name, rule="has at least one row", remedy=remedy)

    def example(self, index: int, mirrored: bool = False) -> Example:
        """Decode row `index`; with `mirrored` the pose is that of the mirrored person.

        Raises:
            TryOnError: a picture of the row is damaged.
        """
        keypoints = self.keypoints(index)
        if mirrored:
            keypoints = mirror_keypoints(keypoints, self.size[1])
        return Example(
            pair_id=self.text("pair_id", index),
            category=Category(self.text("category", index)),
            person=self.picture("person", index),
            garment=self.picture("garment", index),
            pose=draw_pose(keypoints, self.size),
            mask=self.mask("mask", index),
            garment_mask=self.mask("garment_mask", index),
            mirrored=mirrored,
        )

    def text(self, column: str, index: int) -> str:
        """A text value that is never null."""
        return self.table.column(column)[index].as_py()

    def keypoints(self, index: int) -> NDArray[np.float32]:
        """Key points, float32 (18, 3): x, y in pixels, score."""
        return np.array(self.table.column("keypoints")[index].as_py(), np.float32).reshape(18, 3)

    def picture(self, column: str, index: int) -> NDArray[np.uint8]:
        """Decode a picture column, uint8 (H, W, 3) RGB.

        Raises:
            TryOnError: the picture is damaged or of another size than its row says.
        """
        row = f"{self.name}, pair {self.text('pair_id', index)}, {column}"
        try:
            picture = decode_photo(self.table.column(column)[index].as_py())
        except UnreadableError as error:
            raise TryOnError(row, rule=error.rule, value=error.value, remedy=f"Run `{MADE_BY}` again.") from error
        if picture.shape[:2] != self.size:
            rule = f"is {self.size[0]}x{self.size[1]} (height x width)"
            raise TryOnError(row, rule=rule, value=picture.shape[:2], remedy=f"Run `{MADE_BY}` again.")
        return picture

    def mask(self, column: str, index: int) -> NDArray[np.bool_]:
        """Unpack a mask column, bool (H, W).

        Raises:
            TryOnError: the mask is of another size than its row says.
        """
        height, width = self.size
        packed = np.frombuffer(self.table.column(column)[index].as_py(), np.uint8)
        if len(packed) != -(-height * width // 8):  # unpackbits would fill up with zeros
            row = f"{self.name}, pair {self.text('pair_id', index)}, {column}"
            rule = f"is the packed bits of {height}x{width} (height x width)"
            raise TryOnError(row, rule=rule, value=f"{len(packed)} bytes", remedy=f"Run `{MADE_BY}` again.")
        return np.unpackbits(packed, count=height * width).reshape(height, width).astype(np.bool_)
