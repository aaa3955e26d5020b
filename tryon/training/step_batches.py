"""Assignment of rows to steps and ranks, as a function of seed, epoch and settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tryon.config.training import OptimizationSettings
from tryon.loading.epoch_order import epoch_order, split_batches

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class RankBatches:
    """Batches of one rank in a step.

    Args:
        batches: row positions of each batch, at least one.
        weight: of each batch's loss, such that the mean over ranks is the mean over all batches of the step. 0 for
            a rank that runs a dummy batch so that collectives stay in sync.
    """

    batches: list[Rows]
    weight: float


def batches_per_step(count: int, settings: OptimizationSettings, seed: int, epoch: int) -> list[list[Rows]]:
    """Group the batches of an epoch over `count` rows into steps of all ranks; the last step may be smaller."""
    batches = split_batches(epoch_order(count, seed, epoch), settings.batch_size)
    num_batches = settings.grad_accumulation_steps * settings.world_size
    return [batches[start : start + num_batches] for start in range(0, len(batches), num_batches)]


def batches_for_rank(step: Sequence[Rows], rank: int, world_size: int) -> RankBatches:
    """Select every `world_size`-th batch of a step; a rank without a batch repeats the first one with weight 0.

    Without a batch it would leave the other ranks waiting for its gradients.
    """
    batches = list(step[rank::world_size])
    return RankBatches(batches, world_size / len(step)) if batches else RankBatches([step[0]], 0.0)
