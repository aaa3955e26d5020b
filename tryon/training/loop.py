"""The training loop, written out: batches in the epoch's order, loss, gradients, a step, and after each epoch a look.

Nothing that changes a weight comes from a global random state or from the clock, and all that a later step needs is
in the states kept on the way, so a run that was killed goes on to the same bytes (on a CPU with the same number of
threads).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext
from itertools import islice
from typing import Any, cast

import torch
from lightning_fabric import Fabric
from torch import Tensor

from tryon.daflow import DAFlow
from tryon.loading.augmented_dataset import AugmentedRows
from tryon.loading.batch_loader import Batch, load_batches
from tryon.loading.transforms import prepare
from tryon.runtime.progress import Progress
from tryon.training.checkpoint import BatchLoss, Checkpoint, HistoryRow
from tryon.training.divergence import check_gradient, check_losses
from tryon.training.ema import AveragedWeights
from tryon.training.fabric import AsTrained, check_equal, started_fabric
from tryon.training.graceful_stop import StopSignal
from tryon.training.loss_networks import check_scales
from tryon.training.losses import Loss, Truth
from tryon.training.memory_budget import check_memory
from tryon.training.optimizer import freeze_statistics, learning_rate, make_optimiser
from tryon.training.run_checkpoints import RunStates
from tryon.training.run_config import Job, check_sides
from tryon.training.sample_grids import GridRows, write_grids
from tryon.training.step_batches import Rows, Share, share_of, step_groups
from tryon.training.training_log import best_epoch, epochs_without_gain
from tryon.training.validation import validate

FEW = 10
"""Batches that say too little about how large a loss usually is."""


def train(job: Job, network: DAFlow, states: RunStates | None, progress: Progress) -> Checkpoint:
    """Train `network` in place, from the newest state in `states` or from its weights as they are.

    Epoch 0 is the starting point: it is validated and drawn like the others, and may remain the best. Where several
    processes train together, all of them call this; only the first one has `states`, looks at the network and writes.

    Returns:
        The state after the last epoch; its best epoch lies in `states`.

    Raises:
        ParameterError: the pictures do not fit the network or training not into the memory, or there is no such device.
        MissingInputError: the processes that train together do not train the same.
        TryOnError: a loss or a result is not finite, a loss explodes, or a row is damaged.
        SystemExit: SIGTERM came; the state after the step at hand is kept.
    """
    check_sides(job.train, network)
    check_scales(job.train.size, network, job.settings.loss)
    job.val.require_rows()
    with started_fabric(job.stage, job.settings, job.place) as fabric, StopSignal() as stop:
        check_equal(job.run, fabric)
        check_memory(job, network, fabric)
        run = _Run(job, network, states, progress, fabric, stop)
        state = run.resume() or run.finish_epoch(0, [])
        while state.epoch < job.settings.epochs and not run.has_settled():
            losses = run.run_epoch(state.epoch + 1)
            state = run.finish_epoch(state.epoch + 1, losses)
        fabric.barrier()  # nobody hangs up while another still listens
        return state


class _Run:
    """A job at work: the network and its optimiser on their device, and how far they are."""

    def __init__(
        self,
        job: Job,
        network: DAFlow,
        states: RunStates | None,
        progress: Progress,
        fabric: Fabric,
        stop: StopSignal,
    ) -> None:
        self.job, self.network, self.states, self.progress = job, network, states, progress
        self.fabric, self.stop = fabric, stop
        module: Any = torch.compile(network) if job.settings.compile else network
        self.module, self.optimiser = fabric.setup(module, make_optimiser(network, job.settings))
        decay = job.settings.ema_decay
        self.average = None if decay is None else AveragedWeights(network, decay)
        self.loss = Loss(job.settings.loss, job.perceptual).to(fabric.device)
        self.grid_rows = GridRows.choose(job.val)
        self.step, self.leaving = 0, False
        self.losses: list[BatchLoss] = []
        self.history: list[HistoryRow] = []

    def resume(self) -> Checkpoint | None:
        """Take up the newest state of the first process, if there is one."""
        state = self.fabric.broadcast(self.states.latest() if self.states else None)
        if state is not None:
            assert state.optimiser is not None
            self.network.load_state_dict(state.model)
            self.optimiser.load_state_dict(state.optimiser)
            self.fabric.strategy.precision.load_state_dict(state.scaler)
            if self.average is not None:
                assert state.averaged is not None
                self.average.load(state.averaged)
            self.step, self.losses, self.history = state.step, list(state.losses), list(state.history)
        return state

    def has_settled(self) -> bool:
        """Whether the validation has not improved for as long as `patience` waits."""
        patience = self.job.settings.patience
        return patience is not None and epochs_without_gain(self.history) >= patience

    def run_epoch(self, epoch: int) -> list[BatchLoss]:
        """Pass over the training rows once, or over what is left of them; the losses of all batches of the epoch."""
        job, settings = self.job, self.job.settings
        every, done = settings.checkpoint_every_steps, self.step - (epoch - 1) * job.steps_per_epoch
        groups = step_groups(len(job.train), settings, job.seed, epoch)[done:]
        shares = [share_of(group, job.place.rank, job.place.world) for group in groups]
        rows = AugmentedRows(job.train, settings.flip, settings.augment, job.seed, epoch)
        batches = load_batches(rows, [batch for share in shares for batch in share.batches])
        self.module.train()
        if settings.freeze_norm:
            freeze_statistics(self.network)
        for group, share in zip(groups, shares, strict=True):
            self.losses += self._step(list(islice(batches, len(share.batches))), share, group)
            self.step += 1
            self.progress(self.step, job.steps, f"{job.stage} steps")
            if self.leaving or (every is not None and self.step % every == 0):
                self._keep(self._state(epoch - 1), after_epoch=False)
        losses, self.losses = self.losses, []
        return losses

    def finish_epoch(self, epoch: int, losses: Sequence[BatchLoss]) -> Checkpoint:
        """Validate, draw the grids, and keep the state of the epoch, whose losses are given; none for epoch 0."""
        row: HistoryRow = {"epoch": epoch, "step": self.step, "lr": None, "train_loss": None}
        if losses:
            row["lr"] = self._rate(self.step - 1)
            row |= {f"train_{name}": _mean(losses, name) for name in losses[0]}
        seen = self.fabric.broadcast(self._look(epoch) if self.states else None)
        assert seen is not None
        self.history.append({**row, **seen})
        state = self._state(epoch)
        self._keep(state)
        return state

    def _look(self, epoch: int) -> dict[str, float | None]:
        """Validate and draw the grids, with the averaged weights where there are any."""
        network, device = AsTrained(self.fabric, self.network), self.fabric.device
        assert self.states is not None
        with self.average.inside(self.network) if self.average else nullcontext():
            found = validate(network, self.job.val, self.job.settings.batch_size, device)
            write_grids(self.states.grids, epoch, network, self.grid_rows, device)
        return found

    def _state(self, epoch: int) -> Checkpoint:
        """The state of the run, `epoch` epochs being done."""
        return Checkpoint(
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
            averaged=self.average.tensors if self.average else None,
            losses=tuple(self.losses),
        )

    def _keep(self, state: Checkpoint, after_epoch: bool = True) -> None:
        """Write a state; and leave, if the run was told to stop."""
        if self.states is not None:
            self.states.write(state, after_epoch)
        if self.leaving:
            self.stop.leave()

    def _step(self, batches: Sequence[Batch], share: Share, group: Sequence[Rows]) -> list[BatchLoss]:
        """One optimiser step on the mean loss of a group of batches, of which some are this process's; all losses."""
        own: list[BatchLoss] = []
        for batch in batches:
            with self.fabric.no_backward_sync(self.module, enabled=batch is not batches[-1]):
                own.append(self._backward(batch, share.weight))
        losses = self._of_all(own, len(group))
        check_losses(self.job, group, [batch["loss"] for batch in losses], self._usual_loss())
        clip = self.job.settings.clip_norm
        norm = self.fabric.clip_gradients(self.module, self.optimiser, max_norm=clip, error_if_nonfinite=False)
        if norm is not None and self.job.settings.precision != "16-mixed":  # its scaler passes over overflows
            check_gradient(self.job, group, norm.item())
        for parameters in self.optimiser.param_groups:
            parameters["lr"] = parameters["share"] * self._rate(self.step)
        self.optimiser.step()
        self.optimiser.zero_grad()
        if self.average is not None:
            self.average.update(self.network, self.step)
        return losses

    def _backward(self, batch: Batch, weight: float) -> BatchLoss:
        """Add the gradients of a batch's weighted loss; the loss as it is, with its terms."""
        inputs = prepare(batch.to(self.fabric.device))
        with self.loss.watching(self.network) as offsets:
            _, scales = self.module(inputs.reference, inputs.garment, inputs.agnostic, all_scales=True)
        value = self.loss(scales, Truth(inputs.person, inputs.mask, inputs.garment_mask), offsets)
        loss, terms = value.total, [value.terms[name] for name in self.loss.names]
        told = torch.stack([loss.detach(), *terms]).tolist()
        if not math.isfinite(told[0]):  # backward through NaN can crash the interpreter; without it others would wait
            loss = torch.stack([parameter.sum() * 0 for parameter in self.network.parameters()]).sum()
        self.fabric.backward(loss * weight)
        return dict(zip(self._names, told, strict=True))

    @property
    def _names(self) -> tuple[str, ...]:
        """Of the numbers that are kept of a batch."""
        return "loss", *self.loss.names

    def _of_all(self, own: list[BatchLoss], count: int) -> list[BatchLoss]:
        """Losses of the `count` batches of a step, from all processes; and whether one of them was told to stop."""
        self.leaving = self.stop.asked
        world, names = self.job.place.world, self._names
        if world == 1:
            return own
        told = torch.zeros(1 + self.job.settings.accumulate, len(names), dtype=torch.float64)
        told[0] = float(self.stop.asked)
        for place, losses in enumerate(own, start=1):
            told[place] = torch.tensor([losses[name] for name in names], dtype=torch.float64)
        heard = cast(Tensor, self.fabric.all_gather(told.to(self.fabric.device))).tolist()
        self.leaving = any(process[0][0] for process in heard)
        return [dict(zip(names, heard[n % world][1 + n // world], strict=True)) for n in range(count)]

    def _usual_loss(self) -> float | None:
        """Mean loss of the epoch before, in the first one of the batches so far; None when these are few."""
        before = self.history[-1]["train_loss"]
        if before is not None:
            return before
        return _mean(self.losses, "loss") if len(self.losses) >= FEW else None

    def _rate(self, step: int) -> float:
        settings = self.job.settings
        return learning_rate(step, self.job.steps, settings.lr, settings.warmup_steps)


def _mean(losses: Sequence[BatchLoss], name: str) -> float:
    return math.fsum(batch[name] for batch in losses) / len(losses)
