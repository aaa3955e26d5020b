"""Parse and format pair lists: "ID_0.jpg<whitespace>ID_1.jpg", with a third column 0, 1 or 2 in the root's lists."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from tryon.categories import Category
from tryon.dresscode.layout import pair_id
from tryon.errors import SourceError

_LINE = re.compile(r"([A-Za-z0-9-]+)_0\.jpg\s+([A-Za-z0-9-]+)_1\.jpg(?:\s+(\S+))?")
_CODES = {str(category.list_code): category for category in Category}


class Pair(NamedTuple):
    """One line of a pair list, by ids."""

    person_id: str
    garment_id: str

    @property
    def pair_id(self) -> str:
        """`<person>_<garment>`."""
        return pair_id(*self)


def parse_pair_list(text: str, name: str) -> list[Pair]:
    """Parse a pair list of either form; a third column is ignored.

    >>> parse_pair_list("048392_0.jpg 048393_1.jpg", "test_pairs_paired.txt")
    [Pair(person_id='048392', garment_id='048393')]

    Raises:
        SourceError: a line is malformed; its number is named.
    """
    return [pair for pair, _ in _parse_lines(text, name)]


def parse_root_pair_list(text: str, name: str) -> dict[Category, list[Pair]]:
    """Parse a pair list of the root, whose third column is the category of each line.

    Raises:
        SourceError: a line is malformed; its number is named.
    """
    pairs: dict[Category, list[Pair]] = {category: [] for category in Category}
    for number, (pair, code) in enumerate(_parse_lines(text, name), start=1):
        if code not in _CODES:
            raise SourceError(
                f"pair {number} of {name} has no category", found=code, expected="0, 1 or 2 as third column"
            )
        pairs[_CODES[code]].append(pair)
    return pairs


def _parse_lines(text: str, name: str) -> list[tuple[Pair, str | None]]:
    pairs = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise SourceError(
                f"line {number} of {name} is not a pair",
                found=line[:80],
                expected='"ID_0.jpg ID_1.jpg" and an optional third column 0, 1 or 2',
                hint="Correct the line or download the list again.",
            )
        pairs.append((Pair(match[1], match[2]), match[3]))
    return pairs


def format_pair_list(pairs: Iterable[Pair], category: Category | None = None) -> str:
    """Format a pair list of two tab-separated columns, or of three (the root's form) when `category` is given."""
    code = "" if category is None else f"\t{category.list_code}"
    return "".join(f"{pair.person_id}_0.jpg\t{pair.garment_id}_1.jpg{code}\n" for pair in pairs)
