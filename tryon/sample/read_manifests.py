"""Read a category's manifest, joined with the raw files of its index."""

from __future__ import annotations

from dataclasses import dataclass

from tryon.categories import Category, Split
from tryon.dresscode.readers import Size
from tryon.errors import MissingInputError
from tryon.manifest import INDEX, MANIFEST, read_metadata, read_table
from tryon.manifest.schemas import STATUS_OK
from tryon.runtime.atomic_files import sha256_file
from tryon.sample.packing import RAW_ROLES, Row
from tryon.sample.select_pairs import PairKey
from tryon.workspace import Workspace

_FILE_COLUMNS = [f"{role}{suffix}" for role in RAW_ROLES for suffix in ("", "_bytes", "_sha256")]
_INDEX_COLUMNS = ["split", "pair_id", "status", *_FILE_COLUMNS]


@dataclass(frozen=True)
class CategoryRows:
    """Rows of one category.

    Args:
        rows: usable rows by split and pair id, manifest and index joined.
        test_pairs: all rows of the test lists, quarantined ones included.
    """

    rows: dict[tuple[Split, str], Row]
    test_pairs: list[PairKey]

    def pairs(self, split: Split) -> list[PairKey]:
        """Return the usable pairs of a split."""
        return [_pair_key(row) for (row_split, _), row in self.rows.items() if row_split == split]


def read_category(category: Category, size: Size, workspace: Workspace) -> CategoryRows:
    """Read and join a category's manifest and index.

    Raises:
        MissingInputError: one does not exist, the masks have another size, or the manifest is of another index.
    """
    manifest = read_table(workspace.manifest(category), MANIFEST, made_by=f"tryon agnostic {category}").to_pylist()
    index = read_table(workspace.index(category), INDEX, _INDEX_COLUMNS, made_by="tryon download").to_pylist()
    files = {_row_key(row): row for row in index if row["status"] == STATUS_OK}
    usable = [row for row in manifest if row["status"] == STATUS_OK]
    _check_manifest(usable, category, size, workspace)
    rows = {_row_key(row): row | {name: files[_row_key(row)][name] for name in _INDEX_COLUMNS} for row in usable}
    return CategoryRows(rows, [_pair_key(row) for row in manifest if row["split"] != Split.TRAIN])


def _check_manifest(usable: list[Row], category: Category, size: Size, workspace: Workspace) -> None:
    path, hint = workspace.manifest(category), f"Run `tryon agnostic {category}` again."
    sizes = {f"{row['height']}x{row['width']}" for row in usable} - {f"{size[0]}x{size[1]}"}
    if sizes:
        raise MissingInputError(
            f"{path} has masks of another size",
            found=", ".join(sorted(sizes)),
            expected=f"image.size, {size[0]}x{size[1]}",
            hint=hint,
        )
    if read_metadata(path).get("index_sha256") != sha256_file(workspace.index(category)):
        raise MissingInputError(f"{path} is not made from the current {workspace.index(category)}", hint=hint)


def _row_key(row: Row) -> tuple[Split, str]:
    return Split(row["split"]), row["pair_id"]


def _pair_key(row: Row) -> PairKey:
    return PairKey(Category(row["category"]), row["person_id"], row["garment_id"], row["pair_id"])
