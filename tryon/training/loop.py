"""The training loop, written out: batches in the epoch's order, loss, gradients, a step, and after each epoch a look.

Nothing that changes a weight comes from a global random state or from the clock, and all that a later epoch needs is
in the state written after each epoch, so a run that was killed goes on to the same bytes (on a CPU with the same
number of threads).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor

from tryon.daflow import DAFlow
from tryon.daflow.flow_estimator import FlowEstimator
from tryon.errors import ParameterError, TryOnError, listed
from tryon.loading.batches import Batch, load_batches
from tryon.loading.order import batches_of, epoch_chances, epoch_order
from tryon.loading.rows import PackedRows
from tryon.loading.transforms import prepare
from tryon.progress import Progress
from tryon.training.checkpoint import Checkpoint, HistoryRow
from tryon.training.epochs import EpochStates
from tryon.training.fabric import make_fabric
from tryon.training.grids import GridRows, write_grids
from tryon.training.history import best_epoch
from tryon.training.losses import hidden_weights, multiscale_l1
from tryon.training.schedule import learning_rate
from tryon.training.settings import OptimisationSettings
from tryon.training.validation import validate


@dataclass(frozen=True)
class Job:
    """One training run.

    Args:
        stage: `pretrain` or `finetune`, the section of `params.yaml` that messages speak of.
        settings: of that section.
        seed: of everything that is drawn.
        digest: names settings, seed and inputs, for whoever finds a checkpoint.
        train, val: rows to learn from and to look at.
    """

    stage: str
    settings: OptimisationSettings
    seed: int
    digest: str
    train: PackedRows
    val: PackedRows

    @property
    def batches(self) -> int:
        """Batches of an epoch."""
        return len(batches_of(np.arange(len(self.train)), self.settings.batch_size))

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps of an epoch; batches left over by the accumulation make a last, smaller one."""
        return math.ceil(self.batches / self.settings.accumulate)

    @property
    def steps(self) -> int:
        """Optimiser steps of the run."""
        return self.steps_per_epoch * self.settings.epochs


def train(job: Job, network: DAFlow, states: EpochStates, progress: Progress) -> Checkpoint:
    """Train `network` in place, from the newest state in `states` or from its weights as they are.

    Epoch 0 is the starting point: it is validated and drawn like the others, and may remain the best.

    Returns:
        The state after the last epoch; its best epoch lies in `states`.

    Raises:
        ParameterError: the pictures do not fit the network, or the device does not exist.
        TryOnError: a loss or a result is not finite, or a row is damaged.
    """
    check_sides(job.train, network)
    job.val.require_rows()
    run = _Run(job, network, states, progress)
    state = run.resume() or run.finish_epoch(0, None)
    for epoch in range(state.epoch + 1, job.settings.epochs + 1):
        state = run.finish_epoch(epoch, run.run_epoch(epoch))
    return state


def check_sides(rows: PackedRows, network: DAFlow) -> None:
    """Stop when the pictures do not fit the network.

    Raises:
        ParameterError: a side is not a multiple of 2**levels, or is less than twice that.
        MissingInputError: there are no rows.
    """
    multiple = network.config.side_multiple
    if any(side % multiple or side < 2 * multiple for side in rows.size):
        levels = len(network.config.widths)
        rule = f"both sides are multiples of {multiple} and at least {2 * multiple}, for {levels} levels"
        remedy = "Change image.size in params.yaml and run `dvc repro`, which makes masks and pictures at the new size."
        raise ParameterError("image.size", rule=rule, value=list(rows.size), remedy=remedy)


def make_optimiser(network: DAFlow, settings: OptimisationSettings) -> torch.optim.AdamW:
    """AdamW over all parameters; those of the flow estimators learn at their own share of the rate."""
    flows = [p for module in network.modules() if isinstance(module, FlowEstimator) for p in module.parameters()]
    known = set(flows)
    others = [parameter for parameter in network.parameters() if parameter not in known]
    groups = [{"params": others, "share": 1.0}, {"params": flows, "share": settings.flow_lr_share}]
    return torch.optim.AdamW(groups, lr=settings.lr, weight_decay=settings.weight_decay)


class _Run:
    """A job at work: the network and its optimiser on their device, and how far they are."""

    def __init__(self, job: Job, network: DAFlow, states: EpochStates, progress: Progress) -> None:
        self.job, self.network, self.states, self.progress = job, network, states, progress
        self.fabric: Fabric = make_fabric(job.stage, job.settings)
        self.module, self.optimiser = self.fabric.setup(network, make_optimiser(network, job.settings))
        self.grid_rows = GridRows.choose(job.val)
        self.step = 0
        self.history: list[HistoryRow] = []

    def resume(self) -> Checkpoint | None:
        """Take up the newest state, if there is one."""
        state = self.states.latest()
        if state is not None:
            assert state.optimiser is not None
            self.network.load_state_dict(state.model)
            self.optimiser.load_state_dict(state.optimiser)
            self.fabric.strategy.precision.load_state_dict(state.scaler)
            self.step, self.history = state.step, list(state.history)
        return state

    def run_epoch(self, epoch: int) -> float:
        """Pass over the training rows once; the mean loss of its batches."""
        self.module.train()
        losses: list[float] = []
        for group in self._groups(epoch):
            losses += self._step(group)
            self.step += 1
            self.progress(self.step, self.job.steps, f"{self.job.stage} steps")
        return math.fsum(losses) / len(losses)

    def finish_epoch(self, epoch: int, train_loss: float | None) -> Checkpoint:
        """Validate, draw the grids, and write the state of the epoch."""
        device = self.fabric.device
        row: HistoryRow = {"epoch": epoch, "step": self.step, "lr": None, "train_loss": train_loss}
        if train_loss is not None:
            row["lr"] = self._rate(self.step - 1)
        self.history.append({**row, **validate(self.module, self.job.val, self.job.settings.batch_size, device)})
        write_grids(self.states.grids, epoch, self.module, self.grid_rows, device)
        state = Checkpoint(
            network=self.network.config.to_dict(),
            model=self.network.state_dict(),
            seed=self.job.seed,
            digest=self.job.digest,
            epoch=epoch,
            step=self.step,
            best_epoch=best_epoch(self.history),
            history=tuple(self.history),
            optimiser=self.optimiser.state_dict(),
            scaler=self.fabric.strategy.precision.state_dict(),
        )
        self.states.write(state)
        return state

    def _groups(self, epoch: int) -> Iterator[list[Batch]]:
        """Batches of an epoch, as many together as make one step."""
        job, count = self.job, len(self.job.train)
        order = batches_of(epoch_order(count, job.seed, epoch), job.settings.batch_size)
        mirrored = epoch_chances(count, job.seed, epoch, "mirror") < job.settings.flip
        group: list[Batch] = []
        for number, batch in enumerate(load_batches(job.train, order, mirrored), 1):
            group.append(batch)
            if len(group) == job.settings.accumulate or number == len(order):
                yield group
                group = []

    def _step(self, group: list[Batch]) -> list[float]:
        """One optimiser step on the mean loss of the batches of a group; their losses."""
        losses: list[float] = []
        for batch in group:
            with self.fabric.no_backward_sync(self.module, enabled=batch is not group[-1]):
                loss = self._loss(batch)
                losses.append(self._finite("loss", loss, [batch]))  # backward through NaN can crash the interpreter
                self.fabric.backward(loss / len(group))
        clip = self.job.settings.clip_norm
        norm = self.fabric.clip_gradients(self.module, self.optimiser, max_norm=clip, error_if_nonfinite=False)
        if norm is not None and self.job.settings.precision != "16-mixed":  # its scaler passes over overflows
            self._finite("gradient", norm, group)
        for parameters in self.optimiser.param_groups:
            parameters["lr"] = parameters["share"] * self._rate(self.step)
        self.optimiser.step()
        self.optimiser.zero_grad()
        return losses

    def _finite(self, what: str, value: Tensor, group: list[Batch]) -> float:
        """The value as a number.

        Raises:
            TryOnError: it is not finite; the pairs are named.
        """
        number = value.item()
        if not math.isfinite(number):
            pairs = listed([pair for batch in group for pair in batch.pair_ids])
            remedy = f"Lower {self.job.stage}.lr or {self.job.stage}.clip_norm in params.yaml."
            raise TryOnError(f"{what} of pairs {pairs}", rule="is finite", value=number, remedy=remedy)
        return number

    def _loss(self, batch: Batch) -> Tensor:
        inputs = prepare(batch.to(self.fabric.device))
        _, scales = self.module(inputs.reference, inputs.garment, inputs.agnostic, all_scales=True)
        return multiscale_l1(scales, inputs.person, hidden_weights(inputs.mask, self.job.settings.hidden_weight))

    def _rate(self, step: int) -> float:
        settings = self.job.settings
        return learning_rate(step, self.job.steps, settings.lr, settings.warmup_steps)
