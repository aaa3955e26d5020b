"""Configuration of a training run."""

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
    """Everything that defines a training run.

    Args:
        stage: `pretrain` or `finetune`, the section of `params.yaml`.
        settings: of that section.
        seed: of all random values.
        config_hash: hash of settings, seed and inputs.
        code: version of the stage's code.
        train, val: training and validation rows.
        context: of this process in a distributed run.
        perceptual: frozen networks of `settings.loss`.
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
        """Id of the run; only a run of equal settings, seed, inputs and code resumes from its checkpoints."""
        return f"{self.config_hash}-{self.code}"

    @property
    def batches_per_epoch(self) -> int:
        """Batches of an epoch over all processes."""
        return len(split_batches(np.arange(len(self.train)), self.settings.batch_size))

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps of an epoch; the last one may have fewer batches."""
        return math.ceil(self.batches_per_epoch / (self.settings.grad_accumulation_steps * self.settings.world_size))

    @property
    def total_steps(self) -> int:
        """Optimizer steps of the run."""
        return self.steps_per_epoch * self.settings.epochs


def validate_image_size(rows: PackedDataset, network: DAFlow) -> None:
    """Raise ParameterError if a side of the images is not a multiple of 2**levels, or less than twice that."""
    multiple = network.config.side_multiple
    if any(side % multiple or side < 2 * multiple for side in rows.size):
        raise ParameterError(
            f"image.size does not fit a network of {len(network.config.encoder_channels)} levels",
            found=list(rows.size),
            expected=f"multiples of {multiple}, at least {2 * multiple}",
            hint="Change image.size in params.yaml and run `dvc repro`, which recreates masks and images.",
        )
