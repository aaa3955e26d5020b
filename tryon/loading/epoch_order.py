"""Row order and random values of an epoch, as functions of seed and epoch only.

There is no random state between batches, so a run resumes identically from any step.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray


def epoch_order(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the order in which an epoch visits `count` rows, a permutation of 0..count-1."""
    return _generator(seed, epoch, "order").permutation(count)


def epoch_random(count: int, seed: int, epoch: int, name: str) -> NDArray[np.float64]:
    """Return the epoch's values in [0, 1) of the random stream `name`, one per row."""
    return _generator(seed, epoch, name).random(count)


def split_batches(order: NDArray[np.int64], batch_size: int) -> list[NDArray[np.int64]]:
    """Split an order into batches of equal size, dropping the remainder.

    Very small batches would disturb batch norm; the next epoch has another order. Fewer rows than `batch_size`
    make one smaller batch.
    """
    if len(order) < batch_size:
        return [order] if len(order) else []
    return [order[start : start + batch_size] for start in range(0, len(order) - batch_size + 1, batch_size)]


def _generator(seed: int, epoch: int, name: str) -> np.random.Generator:
    return np.random.default_rng([seed, epoch, zlib.crc32(name.encode())])
