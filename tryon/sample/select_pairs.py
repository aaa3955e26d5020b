"""Select the pairs of the subset by hash, and split them into training and validation without shared ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tryon.categories import Category
from tryon.errors import SourceError, format_list
from tryon.runtime.hash_sampling import hash_rank

_HINT = "Remove the lines with these ids from one of the pair lists, then run `tryon refresh-inputs` and `dvc repro`."


class PairKey(NamedTuple):
    """The columns of a row that selection and split depend on."""

    category: Category
    person_id: str
    garment_id: str
    pair_id: str

    @property
    def items(self) -> tuple[tuple[Category, str], ...]:
        """Both ids with their category. Person n wears garment n, so person and garment ids are of one kind."""
        return (self.category, self.person_id), (self.category, self.garment_id)


def rank(pair: PairKey, seed: int, purpose: str) -> tuple[bytes, str]:
    """Compute the sort key of a pair from its category and pair id, see `hash_rank`."""
    return hash_rank(f"{pair.category}/{pair.pair_id}", seed, purpose), pair.pair_id


def select(pairs: Iterable[PairKey], count: int, seed: int, purpose: str) -> list[PairKey]:
    """Return the `count` pairs of lowest rank, or all if there are fewer, sorted by pair id."""
    ranked = sorted(pairs, key=lambda pair: rank(pair, seed, purpose))
    return sorted(ranked[:count], key=lambda pair: pair.pair_id)


def split_validation(pairs: Sequence[PairKey], fraction: float, seed: int) -> tuple[list[PairKey], list[PairKey]]:
    """Split the pairs of one category into training and validation without a shared person or garment.

    Pairs that share an id, directly or through others, form a group and stay together. Groups go to validation in the
    order of their rank while they fit.

    Args:
        pairs: of one category.
        fraction: of validation, above 0 and below 1.

    Returns:
        Training pairs and validation pairs, each in the order of `pairs`. With two groups or more, each side gets at
        least one; a single group is all training.
    """
    groups = sorted(_group_by_ids(pairs), key=lambda group: min(rank(pair, seed, "validation") for pair in group))
    expected = max(1, round(fraction * len(pairs)))
    validation: set[PairKey] = set()
    for group in groups:
        if len(validation) + len(group) <= min(expected, len(pairs) - 1):
            validation.update(group)
    if not validation and len(groups) > 1:
        validation.update(min(groups, key=len))
    return [pair for pair in pairs if pair not in validation], [pair for pair in pairs if pair in validation]


def _group_by_ids(pairs: Iterable[PairKey]) -> list[list[PairKey]]:
    """Group pairs that share ids, by union-find."""
    parent: dict[tuple[Category, str], tuple[Category, str]] = {}

    def find(item: tuple[Category, str]) -> tuple[Category, str]:
        while parent.setdefault(item, item) != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    pairs = list(pairs)
    for pair in pairs:
        person, garment = pair.items
        parent[find(person)] = find(garment)
    groups: dict[tuple[Category, str], list[PairKey]] = {}
    for pair in pairs:
        groups.setdefault(find(pair.items[0]), []).append(pair)
    return list(groups.values())


def assert_disjoint_splits(train: Iterable[PairKey], validation: Iterable[PairKey], test: Iterable[PairKey]) -> None:
    """Check that selected training and validation pairs and all test pairs share no person or garment.

    Raises:
        SourceError: splits share ids; the first ten are named, the rest counted.
    """
    splits = {"training": train, "validation": validation, "test": test}
    items = {name: {item for pair in pairs for item in pair.items} for name, pairs in splits.items()}
    for a, b in (("training", "test"), ("validation", "test"), ("training", "validation")):
        shared = sorted(f"{category} {item}" for category, item in items[a] & items[b])
        if shared:
            raise SourceError(f"{a} and {b} rows share persons or garments", found=format_list(shared), hint=_HINT)
