"""The pair lists of an unpacked data set: read in both forms, compared, and put in one order."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tryon.categories import Category, Split
from tryon.dresscode.layout import pair_list_path
from tryon.dresscode.pair_lists import Pair, parse_pair_list, parse_root_pair_list
from tryon.errors import SourceError, format_list


class PairEntry(NamedTuple):
    """One line of a pair list, with the list it stands in."""

    category: Category
    split: Split
    person_id: str
    garment_id: str

    @property
    def pair_id(self) -> str:
        """`<person>_<garment>`."""
        return Pair(self.person_id, self.garment_id).pair_id


class PairListConflict(NamedTuple):
    """A category's list and the root's list name different pairs."""

    category: Category
    split: Split
    file: str
    value: str


AGREEMENT_RULE = "names the same pairs as the list in the category's folder"


def read_pair_lists(raw: Path, source: str) -> tuple[list[PairEntry], list[PairListConflict]]:
    """Read every pair list.

    The list in a category's folder counts; the root's list stands in for it where there is none, and is compared with
    it otherwise.

    Args:
        raw: root of the unpacked data set.
        source: the source's name, for messages.

    Returns:
        All pairs, category by category, each in the order train, test_paired, test_unpaired; and what disagrees.

    Raises:
        SourceError: a list is missing in both forms, cannot be read, or there is no pair at all.
    """
    roots = {split: _root_list(raw, split) for split in Split}
    pairs: list[PairEntry] = []
    disagreements: list[PairListConflict] = []
    missing: list[str] = []
    for category in Category:
        for split in Split:
            path, root = pair_list_path(split, category), roots[split]
            own = _own_list(raw / path, path.as_posix())
            chosen = own if own is not None else root and root[category]
            if chosen is None:
                missing.append(path.as_posix())
                continue
            pairs += [PairEntry(category, split, *pair) for pair in chosen]
            if own is not None and root is not None and set(own) != set(root[category]):
                disagreements.append(_disagreement(category, split, set(own), set(root[category])))
    if missing:
        raise SourceError(source, expected="has every pair list", found=f"missing: {format_list(missing)}")
    if not pairs:
        raise SourceError(source, expected="names at least one pair in its pair lists")
    return pairs, disagreements


def _own_list(path: Path, name: str) -> list[Pair] | None:
    return parse_pair_list(_text(path, name), name) if path.exists() else None


def _root_list(raw: Path, split: Split) -> dict[Category, list[Pair]] | None:
    name = pair_list_path(split).as_posix()
    path = raw / name
    return parse_root_pair_list(_text(path, name), name) if path.exists() else None


def _disagreement(category: Category, split: Split, own: set[Pair], root: set[Pair]) -> PairListConflict:
    value = f"{len(own - root)} only in the category's list, {len(root - own)} only in the root's"
    return PairListConflict(category, split, pair_list_path(split).as_posix(), value)


def _text(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(name, expected="is a text file in UTF-8", found=str(error)) from error
