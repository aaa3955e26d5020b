from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tryon.categories import Category, Split
from tryon.synthetic.pair_plan import PairPlan


@given(st.integers(1, 40), st.integers(2, 40), st.integers(0, 2**32))
def test_ids_are_contiguous_and_unpaired_garments_differ_from_the_paired_ones(train, test, seed):
    plan = PairPlan(train, test, seed)
    ids = {plan.item_id(category, number) for category in Category for number in plan.items(category)}
    assert ids == {f"{n:06d}" for n in range(3 * (train + test))}
    for category in Category:
        unpaired = plan.pairs(category, Split.TEST_UNPAIRED)
        people = [person for person, _ in plan.pairs(category, Split.TEST_PAIRED)]
        assert [person for person, _ in unpaired] == people
        assert sorted(garment for _, garment in unpaired) == people
        assert all(person != garment for person, garment in unpaired)
