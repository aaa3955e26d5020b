from __future__ import annotations

import pytest

from tryon.categories import Category
from tryon.errors import SourceError
from tryon.sample.select_pairs import PairKey
from tryon.sample.split_guard import assert_disjoint_splits


def pair(person: str, garment: str, category: Category = Category.DRESSES) -> PairKey:
    return PairKey(category, person, garment, f"{person}_{garment}")


TRAIN, VALIDATION, TEST = [pair("1", "1")], [pair("2", "2")], [pair("3", "3"), pair("3", "4")]


def test_accepts_disjoint_rows_and_equal_ids_in_other_categories() -> None:
    assert_disjoint_splits(TRAIN, VALIDATION, TEST)
    assert_disjoint_splits(TRAIN, VALIDATION, [*TEST, pair("1", "2", Category.UPPER_BODY)])


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ((pair("1", "9"), None, None), None),
        ((pair("3", "9"), None, None), "training and test rows.*dresses 3"),
        ((pair("9", "4"), None, None), "training and test rows.*dresses 4"),
        ((pair("4", "9"), None, None), "training and test rows.*dresses 4"),
        ((None, pair("3", "9"), None), "validation and test rows.*dresses 3"),
        ((None, pair("9", "3"), None), "validation and test rows.*dresses 3"),
        ((None, pair("1", "9"), None), "training and validation rows.*dresses 1"),
        ((pair("9", "2"), None, None), "training and validation rows.*dresses 2"),
        ((None, None, pair("5", "1")), "training and test rows.*dresses 1"),
        ((None, None, pair("2", "5")), "validation and test rows.*dresses 2"),
    ],
)
def test_rejects_and_names_a_shared_person_or_garment(extra: tuple, message: str | None) -> None:
    sides = [rows + ([added] if added else []) for rows, added in zip((TRAIN, VALIDATION, TEST), extra, strict=True)]
    if message is None:
        assert_disjoint_splits(*sides)
    else:
        with pytest.raises(SourceError, match=message):
            assert_disjoint_splits(*sides)
