"""What a training run is given, and what is checked before its first step."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tryon.config.training import OptimizationSettings
from tryon.daflow import DAFlow
from tryon.errors import ParameterError
from tryon.loading.epoch_order import split_batches
from tryon.loading.packed_dataset import PackedDataset
from tryon.training.distributed import SINGLE_PROCESS, DistributedContext
from tryon.training.losses import Perceptual


@dataclass(frozen=True)
class RunConfig:
    """One training run.

    Args:
        stage: `pretrain` or `finetune`, the section of `params.yaml` that messages speak of.
        settings: of that section.
        seed: of everything that is drawn.
        config_hash: names settings, seed and inputs, for whoever finds a checkpoint.
        code: version of the code of the stage.
        train, val: rows to learn from and to look at.
        context: of this process among those that train together.
        perceptual: the frozen networks that `settings.loss` needs.
    """

    stage: str
    settings: OptimizationSettings
    seed: int
    config_hash: str
    code: str
    train: PackedDataset
    val: PackedDataset
    context: DistributedContext = SINGLE_PROCESS
    perceptual: Perceptual | None = None

    @property
    def run_id(self) -> str:
        """Name of the run: only one with equal settings, seed, inputs and code goes on from its states."""
        return f"{self.config_hash}-{self.code}"

    @property
    def batches_per_epoch(self) -> int:
        """Batches of an epoch, of all processes."""
        return len(split_batches(np.arange(len(self.train)), self.settings.batch_size))

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps of an epoch; batches left over by the accumulation make a last, smaller one."""
        return math.ceil(self.batches_per_epoch / (self.settings.grad_accumulation_steps * self.settings.world_size))

    @property
    def total_steps(self) -> int:
        """Optimizer steps of the run."""
        return self.steps_per_epoch * self.settings.epochs


def validate_image_size(rows: PackedDataset, network: DAFlow) -> None:
    """Stop when the images do not fit the network.

    Raises:
        ParameterError: a side is not a multiple of 2**levels, or is less than twice that.
        MissingInputError: there are no rows.
    """
    multiple = network.config.side_multiple
    if any(side % multiple or side < 2 * multiple for side in rows.size):
        levels = len(network.config.encoder_channels)
        rule = f"both sides are multiples of {multiple} and at least {2 * multiple}, for {levels} levels"
        remedy = "Change image.size in params.yaml and run `dvc repro`, which makes masks and images at the new size."
        raise ParameterError("image.size", expected=rule, found=list(rows.size), hint=remedy)
