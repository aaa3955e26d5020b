"""Which rows are taken: ranked by a keyed hash of their names, so that the choice depends on the set of rows alone.

Neither the order of the rows nor their number moves a row's rank against another's. When n rows grow to m, the k chosen
ones lose about k (1 - n/m) to new rows, and nothing else changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tryon.categories import Category


class PairKey(NamedTuple):
    """What choice and split need to know of a row."""

    category: Category
    person_id: str
    garment_id: str
    pair_id: str

    @property
    def items(self) -> tuple[tuple[Category, str], ...]:
        """The two ids, with their category. Person n wears garment n, so ids of persons and garments are one kind."""
        return (self.category, self.person_id), (self.category, self.garment_id)


def rank(pair: PairKey, seed: int, purpose: str) -> tuple[bytes, str]:
    """Sort key of a row: a hash of its category and pair id, keyed by the seed, other for every purpose.

    Args:
        pair: the row.
        seed: 0 to 2**64 - 1.
        purpose: at most 16 ASCII letters; two choices of different purpose are independent.
    """
    name = f"{pair.category}/{pair.pair_id}".encode()
    key, person = seed.to_bytes(8, "big"), purpose.encode()
    return hashlib.blake2b(name, digest_size=16, key=key, person=person).digest(), pair.pair_id


def select(pairs: Iterable[PairKey], count: int, seed: int, purpose: str) -> list[PairKey]:
    """The `count` rows of lowest rank, or all when there are fewer, sorted by pair id."""
    ranked = sorted(pairs, key=lambda pair: rank(pair, seed, purpose))
    return sorted(ranked[:count], key=lambda pair: pair.pair_id)


def split_validation(pairs: Sequence[PairKey], share: float, seed: int) -> tuple[list[PairKey], list[PairKey]]:
    """Part one category's rows into training and validation, which then share no person and no garment.

    Rows that share an id, directly or through others, form a group and stay together. Groups go to validation in the
    order of their rank while they fit.

    Args:
        pairs: rows of one category.
        share: wanted share of validation, above 0 and below 1.
        seed: key of the ranks.

    Returns:
        Training rows and validation rows, each in the order of `pairs`. Of two groups or more each side gets one at
        least; a single group is all for training.
    """
    groups = sorted(_groups(pairs), key=lambda group: min(rank(pair, seed, "validation") for pair in group))
    wanted = max(1, round(share * len(pairs)))
    taken: set[PairKey] = set()
    for group in groups:
        if len(taken) + len(group) <= min(wanted, len(pairs) - 1):
            taken.update(group)
    if not taken and len(groups) > 1:
        taken.update(min(groups, key=len))
    return [pair for pair in pairs if pair not in taken], [pair for pair in pairs if pair in taken]


def _groups(pairs: Iterable[PairKey]) -> list[list[PairKey]]:
    """Rows connected by ids that they share."""
    parent: dict[tuple[Category, str], tuple[Category, str]] = {}

    def find(item: tuple[Category, str]) -> tuple[Category, str]:
        while parent.setdefault(item, item) != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    pairs = list(pairs)
    for pair in pairs:
        first, second = pair.items
        parent[find(first)] = find(second)
    groups: dict[tuple[Category, str], list[PairKey]] = {}
    for pair in pairs:
        groups.setdefault(find(pair.items[0]), []).append(pair)
    return list(groups.values())
