"""Averaged weights: a slow shadow of the network that the last few batches shake less."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


class ExponentialMovingAverage:
    """An exponential moving average of all that a network's state dict holds, running statistics included.

    The first steps count more, as an average over few: at step n the average keeps min(decay, (n + 1) / (n + 10)).

    Args:
        network: on its device; the average begins with its weights.
        decay: share that the average keeps at each step.

    Attributes:
        tensors: the averaged state dict.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.tensors = {key: tensor.detach().clone() for key, tensor in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Bring in the weights after optimizer step `step`, 0 for the first. Counters are copied."""
        average = get_ema_multi_avg_fn(min(self.decay, (step + 1) / (step + 10)))
        current = network.state_dict()
        floating = [key for key, tensor in current.items() if tensor.is_floating_point()]
        average([self.tensors[key] for key in floating], [current[key] for key in floating], step)
        for key in current.keys() - set(floating):
            self.tensors[key].copy_(current[key])

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take up an average that was kept."""
        for key, tensor in self.tensors.items():
            tensor.copy_(tensors[key])

    @contextmanager
    def applied_to(self, network: nn.Module) -> Iterator[None]:
        """Put the average into the network for as long as the block lasts; then its own weights, bit for bit."""
        own = {key: tensor.detach().clone() for key, tensor in network.state_dict().items()}
        network.load_state_dict(self.tensors)
        try:
            yield
        finally:
            network.load_state_dict(own)
