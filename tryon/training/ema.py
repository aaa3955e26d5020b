"""Exponential moving average of a network's weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


class ExponentialMovingAverage:
    """Exponential moving average of a network's state dict, including running statistics.

    The decay warms up: at step n it is min(decay, (n + 1) / (n + 10)).

    Args:
        network: on its device; its weights initialize the average.
        decay: per step.

    Attributes:
        tensors: the averaged state dict.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.tensors = {key: tensor.detach().clone() for key, tensor in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Update with the weights after optimizer step `step`, 0 for the first. Integer counters are copied."""
        average = get_ema_multi_avg_fn(min(self.decay, (step + 1) / (step + 10)))
        current = network.state_dict()
        floating = [key for key, tensor in current.items() if tensor.is_floating_point()]
        average([self.tensors[key] for key in floating], [current[key] for key in floating], step)
        for key in current.keys() - set(floating):
            self.tensors[key].copy_(current[key])

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Restore a saved average."""
        for key, tensor in self.tensors.items():
            tensor.copy_(tensors[key])

    @contextmanager
    def applied_to(self, network: nn.Module) -> Iterator[None]:
        """Swap the average into the network within the block, then restore its own weights exactly."""
        weights = {key: tensor.detach().clone() for key, tensor in network.state_dict().items()}
        network.load_state_dict(self.tensors)
        try:
            yield
        finally:
            network.load_state_dict(weights)
