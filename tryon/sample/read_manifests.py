"""What the stage reads: a category's manifest with its masks, and the index beside it with the raw files' names."""

from __future__ import annotations

from dataclasses import dataclass

from tryon.categories import Category, Split
from tryon.dresscode.readers import Size
from tryon.errors import MissingInputError
from tryon.manifest import INDEX, MANIFEST, read_metadata, read_table
from tryon.manifest.schemas import STATUS_OK
from tryon.runtime.atomic_files import sha256_file
from tryon.sample.hash_sampling import PairKey
from tryon.sample.packing import RAW_ROLES, Row
from tryon.workspace import Workspace

_INDEX_COLUMNS = [
    "split",
    "pair_id",
    "status",
    *(f"{role}{end}" for role in RAW_ROLES for end in ("", "_bytes", "_sha256")),
]


@dataclass(frozen=True)
class CategoryRows:
    """One category, read whole.

    Args:
        rows: the good rows by split and pair id, manifest and index joined.
        test_pairs: all rows of the test lists, good or not.
    """

    rows: dict[tuple[Split, str], Row]
    test_pairs: list[PairKey]

    def pairs(self, split: Split) -> list[PairKey]:
        """Names of the good rows of one list."""
        return [_pair_name(row) for (own, _), row in self.rows.items() if own == split]


def read_category(category: Category, size: Size, workspace: Workspace) -> CategoryRows:
    """Read and join a category's manifest and index.

    Raises:
        MissingInputError: one is absent, the masks are of another size, or the two do not belong together.
    """
    manifest = read_table(workspace.manifest(category), MANIFEST, made_by=f"tryon agnostic {category}").to_pylist()
    index = read_table(workspace.index(category), INDEX, _INDEX_COLUMNS, made_by="tryon download").to_pylist()
    files = {_key(row): row for row in index if row["status"] == STATUS_OK}
    good = [row for row in manifest if row["status"] == STATUS_OK]
    _check(good, category, size, workspace)
    rows = {_key(row): row | {name: files[_key(row)][name] for name in _INDEX_COLUMNS} for row in good}
    tests = [_pair_name(row) for row in manifest if row["split"] != Split.TRAIN]
    return CategoryRows(rows, tests)


def _check(good: list[Row], category: Category, size: Size, workspace: Workspace) -> None:
    name, remedy = str(workspace.manifest(category)), f"Run `tryon agnostic {category}` again."
    sizes = {(row["height"], row["width"]) for row in good} - {size}
    if sizes:
        rule = f"has masks of image.size, {size[0]}x{size[1]}"
        raise MissingInputError(name, expected=rule, found=sorted(sizes), hint=remedy)
    made_from = read_metadata(workspace.manifest(category)).get("index_sha256")
    if made_from != sha256_file(workspace.index(category)):
        rule = f"was made from {workspace.index(category)} as it is now"
        raise MissingInputError(name, expected=rule, found="another state of it", hint=remedy)


def _key(row: Row) -> tuple[Split, str]:
    return Split(row["split"]), row["pair_id"]


def _pair_name(row: Row) -> PairKey:
    return PairKey(Category(row["category"]), row["person_id"], row["garment_id"], row["pair_id"])
