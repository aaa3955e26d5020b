"""Which rows make a step, and which process takes which of them: a function of seed, epoch and settings alone."""

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
    """What one process does of a step.

    Args:
        batches: positions of the rows of each of its batches, at least one.
        weight: of each batch's loss in what the process goes backward from. The mean over the processes is then the
            mean over all batches of the step. 0 where a process only keeps the others company.
    """

    batches: list[Rows]
    weight: float


def batches_per_step(count: int, settings: OptimizationSettings, seed: int, epoch: int) -> list[list[Rows]]:
    """Batches of an epoch over `count` rows, as many together as make one step of all processes.

    Those left over at the end make a last, smaller step.
    """
    batches = split_batches(epoch_order(count, seed, epoch), settings.batch_size)
    together = settings.grad_accumulation_steps * settings.world_size
    return [batches[start : start + together] for start in range(0, len(batches), together)]


def batches_for_rank(step: Sequence[Rows], rank: int, world_size: int) -> RankBatches:
    """The batches of process `rank` among `world`: every world-th. In a last step with too few, it repeats the first.

    A process without a batch would leave the others waiting for its gradients.
    """
    own = list(step[rank::world_size])
    return RankBatches(own, world_size / len(step)) if own else RankBatches([step[0]], 0.0)
