"""Order and random values of an epoch are functions of seed and epoch."""

from __future__ import annotations

import numpy as np

from tryon.loading.epoch_order import epoch_order, epoch_random, split_batches


def test_an_epoch_is_a_permutation_of_its_own() -> None:
    first, again, other_epoch, other_seed = (epoch_order(50, *key) for key in ((7, 1), (7, 1), (7, 2), (8, 1)))
    assert sorted(first) == list(range(50))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other_epoch)
    assert not np.array_equal(first, other_seed)


def test_does_not_use_the_global_random_state() -> None:
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002  # pyright: ignore
    order = epoch_order(50, 7, 1)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002  # pyright: ignore
    np.random.seed(1)  # noqa: NPY002
    assert np.array_equal(order, epoch_order(50, 7, 1))


def test_random_streams_are_uniform_and_differ_by_name() -> None:
    values = epoch_random(4000, 7, 1, "mirror")
    assert abs(float(np.mean(values < 0.3)) - 0.3) < 0.03
    assert not np.array_equal(values, epoch_random(4000, 7, 1, "other"))


def test_batches_are_equal_and_drop_the_remainder() -> None:
    assert [list(batch) for batch in split_batches(np.arange(7), 3)] == [[0, 1, 2], [3, 4, 5]]
    assert [list(batch) for batch in split_batches(np.arange(2), 3)] == [[0, 1]]
    assert split_batches(np.arange(0), 3) == []
