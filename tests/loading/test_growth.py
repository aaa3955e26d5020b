"""A mask grows by as much as it is told, and never shrinks."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tryon.loading.augmentations import dilate_mask


@given(st.floats(0, 12), st.integers(0, 99))
def test_a_mask_never_shrinks_and_grows_with_the_radius(radius: float, seed: int) -> None:
    mask = np.random.default_rng(seed).random((30, 20)) < 0.02
    larger = dilate_mask(mask, radius)
    assert not (mask & ~larger).any()
    assert not (larger & ~dilate_mask(mask, radius + 2)).any()


def test_a_point_becomes_a_disc() -> None:
    mask = np.zeros((41, 41), np.bool_)
    mask[20, 20] = True
    rows, columns = np.mgrid[:41, :41]
    distance = np.hypot(rows - 20, columns - 20)
    larger = dilate_mask(mask, 10)
    assert larger[distance <= 9.7].all()
    assert not larger[distance > 10.3].any()


def test_an_empty_mask_stays_empty() -> None:
    assert not dilate_mask(np.zeros((8, 8), np.bool_), 5).any()
