from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tryon.categories import Category
from tryon.dresscode.layout import pair_id
from tryon.errors import SourceError
from tryon.sample.select_pairs import PairKey, assert_disjoint_splits, rank, select, split_validation


def pair(person: int, garment: int | None = None, category: Category = Category.DRESSES) -> PairKey:
    ids = f"{person:06d}", f"{person if garment is None else garment:06d}"
    return PairKey(category, *ids, pair_id(*ids))


PEOPLE = [pair(number) for number in range(2000)]
ids = st.integers(0, 30)
any_pairs = st.lists(st.tuples(ids, ids), min_size=1, max_size=60, unique=True).map(
    lambda pairs: [pair(*both) for both in pairs]
)


@given(st.permutations(PEOPLE[:40]), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_order_of_the_pairs_does_not_matter(shuffled: list[PairKey], count: int, seed: int) -> None:
    selected = select(shuffled, count, seed, "train")
    assert selected == select(PEOPLE[:40], count, seed, "train")
    assert len(selected) == count
    assert selected == sorted(selected)


@pytest.mark.parametrize("grown", [1100, 1500, 2000])
def test_growing_from_n_to_m_pairs_replaces_about_k_times_1_minus_n_over_m(grown: int) -> None:
    n, k = 1000, 500
    before, after = (set(select(PEOPLE[:count], k, 1, "train")) for count in (n, grown))
    expected = k * (1 - n / grown)
    assert abs(len(before - after) - expected) < 4 * (expected * n / grown) ** 0.5  # four standard deviations of a draw
    assert not (after - before) & set(PEOPLE[:n])  # only new rows come in


def test_removing_an_unselected_pair_changes_nothing() -> None:
    selected = select(PEOPLE[:100], 10, 1, "train")
    rest = [row for row in PEOPLE[:100] if row in selected or int(row.person_id) % 2]
    assert select(rest, 10, 1, "train") == selected


def test_selects_all_if_there_are_fewer() -> None:
    assert select(PEOPLE[:5], 10, 1, "train") == PEOPLE[:5]


def test_seed_purpose_and_category_give_independent_ranks() -> None:
    def selected(seed: int, purpose: str, category: Category = Category.DRESSES) -> set[str]:
        rows = [pair(number, category=category) for number in range(1000)]
        return {row.pair_id for row in select(rows, 500, seed, purpose)}

    first = selected(1, "train")
    for second in (selected(2, "train"), selected(1, "validation"), selected(1, "train", Category.UPPER_BODY)):
        assert abs(len(first & second) - 250) < 50


def test_ranks_are_pinned() -> None:
    assert rank(pair(1), 7, "train")[0].hex() == "7da5bfec7b34cbc7bd70092201f76894"


@given(any_pairs, st.floats(0.01, 0.99), st.integers(0, 10))
def test_training_and_validation_share_no_id(pairs: list[PairKey], fraction: float, seed: int) -> None:
    train, validation = split_validation(pairs, fraction, seed)
    assert sorted(train + validation) == sorted(pairs)
    assert not {item for row in train for item in row.items} & {item for row in validation for item in row.items}
    assert train


@given(st.integers(2, 300), st.floats(0.01, 0.99), st.integers(0, 10))
def test_fraction_is_exact_if_every_person_has_one_pair(count: int, fraction: float, seed: int) -> None:
    train, validation = split_validation(PEOPLE[:count], fraction, seed)
    assert len(validation) == min(max(1, round(fraction * count)), count - 1)
    assert len(train) == count - len(validation)


@given(st.permutations(PEOPLE[:30]), st.integers(0, 10))
def test_split_does_not_depend_on_the_order(shuffled: list[PairKey], seed: int) -> None:
    assert set(split_validation(shuffled, 0.2, seed)[1]) == set(split_validation(PEOPLE[:30], 0.2, seed)[1])


def test_large_groups_still_leave_a_group_for_validation() -> None:
    pairs = [pair(1, garment) for garment in range(2, 12)] + [pair(20, garment) for garment in range(30, 33)]
    train, validation = split_validation(pairs, 0.1, 1)
    assert {row.person_id for row in validation} == {"000020"}
    assert {row.person_id for row in train} == {"000001"}
    assert split_validation(pairs[:10], 0.5, 1) == (pairs[:10], [])


def named(person: str, garment: str, category: Category = Category.DRESSES) -> PairKey:
    return PairKey(category, person, garment, f"{person}_{garment}")


TRAIN, VALIDATION, TEST = [named("1", "1")], [named("2", "2")], [named("3", "3"), named("3", "4")]


def test_accepts_disjoint_rows_and_equal_ids_in_other_categories() -> None:
    assert_disjoint_splits(TRAIN, VALIDATION, TEST)
    assert_disjoint_splits(TRAIN, VALIDATION, [*TEST, named("1", "2", Category.UPPER_BODY)])


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ((named("1", "9"), None, None), None),
        ((named("3", "9"), None, None), "training and test rows.*dresses 3"),
        ((named("9", "4"), None, None), "training and test rows.*dresses 4"),
        ((named("4", "9"), None, None), "training and test rows.*dresses 4"),
        ((None, named("3", "9"), None), "validation and test rows.*dresses 3"),
        ((None, named("9", "3"), None), "validation and test rows.*dresses 3"),
        ((None, named("1", "9"), None), "training and validation rows.*dresses 1"),
        ((named("9", "2"), None, None), "training and validation rows.*dresses 2"),
        ((None, None, named("5", "1")), "training and test rows.*dresses 1"),
        ((None, None, named("2", "5")), "validation and test rows.*dresses 2"),
    ],
)
def test_rejects_and_names_a_shared_person_or_garment(extra: tuple, message: str | None) -> None:
    sides = [rows + ([added] if added else []) for rows, added in zip((TRAIN, VALIDATION, TEST), extra, strict=True)]
    if message is None:
        assert_disjoint_splits(*sides)
    else:
        with pytest.raises(SourceError, match=message):
            assert_disjoint_splits(*sides)
