"""Check that training, validation and test share no person and no garment."""

from __future__ import annotations

from collections.abc import Iterable

from tryon.categories import Category
from tryon.errors import SourceError, format_list
from tryon.sample.select_pairs import PairKey

_HINT = "Remove the lines with these ids from one of the pair lists, then run `tryon refresh-inputs` and `dvc repro`."


def assert_disjoint_splits(train: Iterable[PairKey], validation: Iterable[PairKey], test: Iterable[PairKey]) -> None:
    """Check that train, validation and test share no id.

    Person n wears garment n in the person image, so person and garment ids are compared with each other too.

    Args:
        train: selected training pairs.
        validation: selected validation pairs.
        test: all pairs of the test lists, selected or not.

    Raises:
        SourceError: splits share ids; the first ten are named, the rest counted.
    """
    items = {"training": _items(train), "validation": _items(validation), "test": _items(test)}
    for a, b in (("training", "test"), ("validation", "test"), ("training", "validation")):
        shared = sorted(f"{category} {item}" for category, item in items[a] & items[b])
        if shared:
            raise SourceError(f"{a} and {b} rows share persons or garments", found=format_list(shared), hint=_HINT)


def _items(pairs: Iterable[PairKey]) -> set[tuple[Category, str]]:
    return {item for pair in pairs for item in pair.items}
