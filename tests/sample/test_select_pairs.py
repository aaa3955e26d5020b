from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tryon.categories import Category
from tryon.dresscode.layout import pair_id
from tryon.sample.hash_sampling import PairKey, rank, select, split_validation


def pair(person: int, garment: int | None = None, category: Category = Category.DRESSES) -> PairKey:
    ids = f"{person:06d}", f"{person if garment is None else garment:06d}"
    return PairKey(category, *ids, pair_id(*ids))


PEOPLE = [pair(number) for number in range(2000)]
ids = st.integers(0, 30)
any_pairs = st.lists(st.tuples(ids, ids), min_size=1, max_size=60, unique=True).map(
    lambda pairs: [pair(*both) for both in pairs]
)


@given(st.permutations(PEOPLE[:40]), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_the_order_of_the_rows_does_not_matter(shuffled: list[PairKey], count: int, seed: int) -> None:
    chosen = select(shuffled, count, seed, "train")
    assert chosen == select(PEOPLE[:40], count, seed, "train")
    assert len(chosen) == count
    assert chosen == sorted(chosen)


@pytest.mark.parametrize("grown", [1100, 1500, 2000])
def test_growing_from_n_to_m_rows_replaces_about_k_times_1_minus_n_over_m(grown: int) -> None:
    n, k = 1000, 500
    before, after = (set(select(PEOPLE[:count], k, 1, "train")) for count in (n, grown))
    gone = len(before - after)
    expected = k * (1 - n / grown)
    assert abs(gone - expected) < 4 * (expected * n / grown) ** 0.5  # four standard deviations of a draw
    assert not (after - before) & set(PEOPLE[:n])  # only new rows come in


def test_removing_a_row_that_was_not_chosen_changes_nothing() -> None:
    chosen = select(PEOPLE[:100], 10, 1, "train")
    others = [row for row in PEOPLE[:100] if row in chosen or int(row.person_id) % 2]
    assert select(others, 10, 1, "train") == chosen


def test_as_many_as_there_are_when_fewer() -> None:
    assert select(PEOPLE[:5], 10, 1, "train") == PEOPLE[:5]


def test_seed_purpose_and_category_give_independent_ranks() -> None:
    def chosen(seed: int, purpose: str, category: Category = Category.DRESSES) -> set[str]:
        rows = [pair(number, category=category) for number in range(1000)]
        return {row.pair_id for row in select(rows, 500, seed, purpose)}

    first = chosen(1, "train")
    for other in (chosen(2, "train"), chosen(1, "validation"), chosen(1, "train", Category.UPPER_BODY)):
        assert abs(len(first & other) - 250) < 50


def test_ranks_are_fixed_for_good() -> None:
    assert rank(pair(1), 7, "train")[0].hex() == "7da5bfec7b34cbc7bd70092201f76894"


@given(any_pairs, st.floats(0.01, 0.99), st.integers(0, 10))
def test_training_and_validation_share_nobody_whatever_the_rows(pairs: list[PairKey], share: float, seed: int) -> None:
    train, validation = split_validation(pairs, share, seed)
    assert sorted(train + validation) == sorted(pairs)
    assert not {item for row in train for item in row.items} & {item for row in validation for item in row.items}
    assert train


@given(st.integers(2, 300), st.floats(0.01, 0.99), st.integers(0, 10))
def test_the_share_is_exact_when_every_person_has_one_row(count: int, share: float, seed: int) -> None:
    train, validation = split_validation(PEOPLE[:count], share, seed)
    assert len(validation) == min(max(1, round(share * count)), count - 1)
    assert len(train) == count - len(validation)


@given(st.permutations(PEOPLE[:30]), st.integers(0, 10))
def test_the_split_depends_on_the_set_alone(shuffled: list[PairKey], seed: int) -> None:
    assert set(split_validation(shuffled, 0.2, seed)[1]) == set(split_validation(PEOPLE[:30], 0.2, seed)[1])


def test_large_groups_still_leave_someone_to_validate() -> None:
    pairs = [pair(1, garment) for garment in range(2, 12)] + [pair(20, garment) for garment in range(30, 33)]
    train, validation = split_validation(pairs, 0.1, 1)
    assert {row.person_id for row in validation} == {"000020"}
    assert {row.person_id for row in train} == {"000001"}
    assert split_validation(pairs[:10], 0.5, 1) == (pairs[:10], [])
