from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tryon.runtime.hash_sampling import hash_rank, hash_sample

NAMES = [f"{number:06d}" for number in range(2000)]


def test_ranks_and_samples_are_pinned() -> None:
    assert hash_rank("dresses/000001_000001", 7, "train").hex() == "7da5bfec7b34cbc7bd70092201f76894"
    assert hash_sample(NAMES[:6], 6, "comparison") == ["000003", "000004", "000002", "000000", "000001", "000005"]


@given(st.permutations(NAMES[:40]), st.integers(1, 60), st.integers(0, 99))
def test_order_of_the_items_does_not_matter(shuffled: list[str], count: int, key: int) -> None:
    sample = hash_sample(shuffled, count, key)
    assert sample == hash_sample(NAMES[:40], count, key)
    assert sample == sorted(sample, key=hash_sample(NAMES, 2000, key).index)
    assert len(sample) == min(count, 40)


@pytest.mark.parametrize("grown", [1100, 1500, 2000])
def test_growing_from_n_to_m_items_replaces_about_k_times_1_minus_n_over_m(grown: int) -> None:
    n, k = 1000, 500
    before, after = (set(hash_sample(NAMES[:count], k, "key")) for count in (n, grown))
    expected = k * (1 - n / grown)
    assert abs(len(before - after) - expected) < 4 * (expected * n / grown) ** 0.5  # four standard deviations
    assert not (after - before) & set(NAMES[:n])  # only new items come in


def test_keys_give_independent_samples() -> None:
    samples = [set(hash_sample(NAMES[:1000], 500, key)) for key in ("a", "b")]
    assert abs(len(samples[0] & samples[1]) - 250) < 50


def test_items_are_sampled_by_name() -> None:
    assert hash_sample([1, 2, 3], 2, "key", name=lambda item: f"{item:06d}") == [
        int(name) for name in hash_sample(NAMES[1:4], 2, "key")
    ]
