"""Proof that nothing tested was trained on: stops the stage when a person or garment stands on both sides."""

from __future__ import annotations

from collections.abc import Iterable

from tryon.categories import Category
from tryon.errors import SourceError, format_list
from tryon.sample.hash_sampling import PairKey

_REMEDY = "Take the lines with these ids out of one of the pair lists, then run `tryon refresh-inputs` and `dvc repro`."


def assert_disjoint_splits(train: Iterable[PairKey], validation: Iterable[PairKey], test: Iterable[PairKey]) -> None:
    """Make sure that train, validation and test share no person and no garment.

    Person n is photographed in garment n, so an id counts the same in either place.

    Args:
        train: the chosen training rows.
        validation: the chosen validation rows.
        test: all rows of the test lists, chosen or not.

    Raises:
        SourceError: ids stand on two sides; the first ten are named, the rest counted.
    """
    sides = {"training": _items(train), "validation": _items(validation), "test": _items(test)}
    for one, other in (("training", "test"), ("validation", "test"), ("training", "validation")):
        shared = sorted(f"{category} {item}" for category, item in sides[one] & sides[other])
        if shared:
            rule = "share no person and no garment"
            raise SourceError(f"{one} and {other} rows", expected=rule, found=format_list(shared), hint=_REMEDY)


def _items(pairs: Iterable[PairKey]) -> set[tuple[Category, str]]:
    return {item for pair in pairs for item in pair.items}
