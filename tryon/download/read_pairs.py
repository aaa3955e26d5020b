"""Read the pair lists of an unpacked data set, and compare those of the categories with those of the root."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tryon.categories import Category, Split
from tryon.dresscode.layout import pair_list_path
from tryon.dresscode.pair_lists import Pair, parse_pair_list, parse_root_pair_list
from tryon.errors import SourceError, format_list


class PairEntry(NamedTuple):
    """One line of a pair list, with category and split."""

    category: Category
    split: Split
    person_id: str
    garment_id: str

    @property
    def pair_id(self) -> str:
        """`<person>_<garment>`."""
        return Pair(self.person_id, self.garment_id).pair_id


class PairListConflict(NamedTuple):
    """Different pairs in a category's list and in the root's list."""

    category: Category
    split: Split
    file: str
    difference: str


def read_pair_lists(raw: Path, source: str) -> tuple[list[PairEntry], list[PairListConflict]]:
    """Read every pair list.

    A category's list takes precedence over the root's list. If both exist, they are compared. Pairs are sorted by
    category and by split.

    Raises:
        SourceError: a list is missing in both forms or cannot be read, or there is no pair.
    """
    root_lists = {split: _read_root_list(raw, split) for split in Split}
    pairs: list[PairEntry] = []
    conflicts: list[PairListConflict] = []
    missing: list[str] = []
    for category in Category:
        for split in Split:
            name, root = pair_list_path(split, category).as_posix(), root_lists[split]
            pair_list = parse_pair_list(_read_text(raw, name), name) if (raw / name).exists() else None
            selected = pair_list if pair_list is not None else root and root[category]
            if selected is None:
                missing.append(name)
                continue
            pairs += [PairEntry(category, split, *pair) for pair in selected]
            if pair_list is not None and root is not None and set(pair_list) != set(root[category]):
                in_category, in_root = set(pair_list), set(root[category])
                difference = f"{len(in_category - in_root)} only in the category's list, "
                difference += f"{len(in_root - in_category)} only in the root's"
                conflicts.append(PairListConflict(category, split, pair_list_path(split).as_posix(), difference))
    if missing:
        raise SourceError(f"{source} lacks pair lists", found=f"missing: {format_list(missing)}")
    if not pairs:
        raise SourceError(f"{source} has no pair in its pair lists")
    return pairs, conflicts


def _read_root_list(raw: Path, split: Split) -> dict[Category, list[Pair]] | None:
    name = pair_list_path(split).as_posix()
    return parse_root_pair_list(_read_text(raw, name), name) if (raw / name).exists() else None


def _read_text(raw: Path, name: str) -> str:
    try:
        return (raw / name).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{name} is not a text file in UTF-8", found=str(error)) from error
