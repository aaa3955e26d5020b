"""The pair lists: "ID_0.jpg<whitespace>ID_1.jpg" in a category's folder, with a third column 0/1/2 in the root."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from tryon.categories import Category
from tryon.dresscode.layout import pair_id
from tryon.errors import SourceError

_PERSON = re.compile(r"([A-Za-z0-9-]+)_0\.jpg")
_GARMENT = re.compile(r"([A-Za-z0-9-]+)_1\.jpg")
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
    """Read a pair list of either form; the third column, when there is one, is not needed and is skipped.

    Args:
        text: the file's content.
        name: the file's name, for messages.

    Raises:
        SourceError: a line is not of the form, with its number.
    """
    return [pair for pair, _ in _parse_lines(text, name)]


def parse_root_pair_list(text: str, name: str) -> dict[Category, list[Pair]]:
    """Read a pair list of the root's form: the third column says to which category each line belongs.

    Raises:
        SourceError: a line is not of the form, with its number.
    """
    pairs: dict[Category, list[Pair]] = {category: [] for category in Category}
    for number, (pair, code) in enumerate(_parse_lines(text, name), start=1):
        if code not in _CODES:
            raise SourceError(f"{name}, pair {number}", expected="has a third column 0, 1 or 2", found=code)
        pairs[_CODES[code]].append(pair)
    return pairs


def _parse_lines(text: str, name: str) -> list[tuple[Pair, str | None]]:
    pairs = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        person, garment = (
            (_PERSON.fullmatch(words[0]), _GARMENT.fullmatch(words[1])) if len(words) > 1 else (None, None)
        )
        if person is None or garment is None or len(words) > 3:
            raise SourceError(
                f"{name}, line {number}",
                expected='is "ID_0.jpg ID_1.jpg", with an optional third column 0, 1 or 2',
                found=line[:80],
                hint="Mend the line or fetch the list again.",
            )
        pairs.append((Pair(person[1], garment[1]), words[2] if len(words) > 2 else None))
    return pairs


def format_pair_list(pairs: Iterable[Pair], category: Category | None = None) -> str:
    """Write a pair list: two tab-separated columns, or three when `category` is given (the root's form)."""
    code = "" if category is None else f"\t{category.list_code}"
    return "".join(f"{pair.person_id}_0.jpg\t{pair.garment_id}_1.jpg{code}\n" for pair in pairs)
