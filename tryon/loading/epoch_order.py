"""What an epoch draws, as functions of the seed and the epoch alone.

Nothing is alive between two batches, so a run that is taken up again at any position sees what it would have seen.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray


def epoch_order(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Order in which epoch `epoch` visits `count` rows, a permutation of 0..count-1."""
    return _generator(seed, epoch, "order").permutation(count)


def epoch_random(count: int, seed: int, epoch: int, name: str) -> NDArray[np.float64]:
    """For each of `count` rows a number in [0, 1) that decides on `name` ("mirror", ...) in this epoch."""
    return _generator(seed, epoch, name).random(count)


def split_batches(order: NDArray[np.int64], batch_size: int) -> list[NDArray[np.int64]]:
    """Cut an order into batches of equal size.

    Rows left over at the end wait for the next epoch, which has another order: a batch of one or two would upset the
    batch norms. Only when all rows together are fewer than a batch do they make a smaller one.
    """
    if len(order) < batch_size:
        return [order] if len(order) else []
    return [order[start : start + batch_size] for start in range(0, len(order) - batch_size + 1, batch_size)]


def _generator(seed: int, epoch: int, name: str) -> np.random.Generator:
    return np.random.default_rng([seed, epoch, zlib.crc32(name.encode())])
