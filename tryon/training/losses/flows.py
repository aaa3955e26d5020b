"""Smooth flows: offsets that bend sharply tear a pattern."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from tryon.daflow.flow_estimator import FlowEstimator

ESTIMATORS = 3
"""Flow estimators of a scale: cross, self and refine."""


@contextmanager
def watched_offsets(network: nn.Module) -> Iterator[list[Tensor]]:
    """Collect the offsets that the network's flow estimators put out, in the order in which they run.

    Yields:
        A list that a forward pass fills, `ESTIMATORS` a scale, coarsest first: (B, 2·heads, h, w) in pixels of that
        scale, on top of the flow that was carried there.
    """
    found: list[Tensor] = []

    def keep(_: nn.Module, __: object, output: Tensor) -> None:
        found.append(output[:, : output.shape[1] // 3 * 2])  # two channels of offsets to one of attention

    watches = [part.register_forward_hook(keep) for part in network.modules() if isinstance(part, FlowEstimator)]
    try:
        yield found
    finally:
        for watch in watches:
            watch.remove()


def flow_bend(offsets: Tensor) -> Tensor:
    """Mean absolute second difference of offsets, float (B, C, h, w), over both directions.

    An even flow, a stretch and a turn cost nothing. Sides of less than three pixels have no second difference.
    """
    offsets = offsets.to(torch.promote_types(offsets.dtype, torch.float32))  # mixed precision gives halves
    bends = [_second(offsets, side) for side in (2, 3) if offsets.shape[side] > 2]
    return torch.stack([bend.abs().mean() for bend in bends]).mean() if bends else offsets.sum() * 0


def _second(field: Tensor, side: int) -> Tensor:
    count = field.shape[side] - 2
    before, here, after = (field.narrow(side, start, count) for start in (0, 1, 2))
    return before - 2 * here + after
