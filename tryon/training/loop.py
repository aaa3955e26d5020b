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
from tryon.loading.augmented_dataset import AugmentedDataset
from tryon.loading.batch_loader import Batch, load_batches
from tryon.loading.transforms import prepare
from tryon.runtime.progress import Progress
from tryon.training.checkpoint import BatchLoss, Checkpoint, HistoryRow
from tryon.training.divergence import check_gradient_norm, check_loss_divergence
from tryon.training.ema import ExponentialMovingAverage
from tryon.training.fabric import PrecisionWrapper, assert_same_run, fabric_session
from tryon.training.graceful_stop import SigtermHandler
from tryon.training.loss_networks import validate_scales
from tryon.training.losses import Loss, LossTargets
from tryon.training.memory_budget import check_memory
from tryon.training.optimizer import freeze_bn_stats, learning_rate, make_optimizer
from tryon.training.run_checkpoints import CheckpointManager
from tryon.training.run_config import RunConfig, validate_image_size
from tryon.training.sample_grids import GridRows, write_grids
from tryon.training.step_batches import RankBatches, Rows, batches_for_rank, batches_per_step
from tryon.training.training_log import best_epoch, epochs_since_improvement
from tryon.training.validation import validate

MIN_REFERENCE_BATCHES = 10
"""Batches that say too little about how large a loss usually is."""


def train(job: RunConfig, network: DAFlow, checkpoints: CheckpointManager | None, progress: Progress) -> Checkpoint:
    """Train `network` in place, from the newest state in `states` or from its weights as they are.

    Epoch 0 is the starting point: it is validated and drawn like the others, and may remain the best. Where several
    processes train together, all of them call this; only the first one has `states`, looks at the network and writes.

    Returns:
        The state after the last epoch; its best epoch lies in `states`.

    Raises:
        ParameterError: the images do not fit the network or training not into the memory, or there is no such device.
        MissingInputError: the processes that train together do not train the same.
        TryOnError: a loss or a result is not finite, a loss explodes, or a row is damaged.
        SystemExit: SIGTERM came; the state after the step at hand is kept.
    """
    validate_image_size(job.train, network)
    validate_scales(job.train.size, network, job.settings.loss)
    job.val.require_non_empty()
    with fabric_session(job.stage, job.settings, job.context) as fabric, SigtermHandler() as stop:
        assert_same_run(job.run_id, fabric)
        check_memory(job, network, fabric)
        run = Trainer(job, network, checkpoints, progress, fabric, stop)
        state = run.resume() or run.finish_epoch(0, [])
        while state.epoch < job.settings.epochs and not run.should_stop_early():
            losses = run.run_epoch(state.epoch + 1)
            state = run.finish_epoch(state.epoch + 1, losses)
        fabric.barrier()  # nobody hangs up while another still listens
        return state


class Trainer:
    """A job at work: the network and its optimizer on their device, and how far they are."""

    def __init__(
        self,
        job: RunConfig,
        network: DAFlow,
        checkpoints: CheckpointManager | None,
        progress: Progress,
        fabric: Fabric,
        stop: SigtermHandler,
    ) -> None:
        self.job, self.network, self.states, self.progress = job, network, checkpoints, progress
        self.fabric, self.stop = fabric, stop
        module: Any = torch.compile(network) if job.settings.compile else network
        self.module, self.optimizer = fabric.setup(module, make_optimizer(network, job.settings))
        decay = job.settings.ema_decay
        self.average = None if decay is None else ExponentialMovingAverage(network, decay)
        self.loss = Loss(job.settings.loss, job.perceptual).to(fabric.device)
        self.grid_rows = GridRows.select(job.val)
        self.step, self.leaving = 0, False
        self.losses: list[BatchLoss] = []
        self.history: list[HistoryRow] = []

    def resume(self) -> Checkpoint | None:
        """Take up the newest state of the first process, if there is one."""
        state = self.fabric.broadcast(self.states.latest() if self.states else None)
        if state is not None:
            assert state.optimizer is not None
            self.network.load_state_dict(state.model)
            self.optimizer.load_state_dict(state.optimizer)
            self.fabric.strategy.precision.load_state_dict(state.scaler)
            if self.average is not None:
                assert state.ema is not None
                self.average.load(state.ema)
            self.step, self.losses, self.history = state.step, list(state.losses), list(state.history)
        return state

    def should_stop_early(self) -> bool:
        """Whether the validation has not improved for as long as `patience` waits."""
        patience = self.job.settings.early_stop_patience
        return patience is not None and epochs_since_improvement(self.history) >= patience

    def run_epoch(self, epoch: int) -> list[BatchLoss]:
        """Pass over the training rows once, or over what is left of them; the losses of all batches of the epoch."""
        job, settings = self.job, self.job.settings
        every, done = settings.checkpoint_every_steps, self.step - (epoch - 1) * job.steps_per_epoch
        groups = batches_per_step(len(job.train), settings, job.seed, epoch)[done:]
        shares = [batches_for_rank(group, job.context.rank, job.context.world_size) for group in groups]
        rows = AugmentedDataset(job.train, settings.flip_prob, settings.augment, job.seed, epoch)
        batches = load_batches(rows, [batch for share in shares for batch in share.batches])
        self.module.train()
        if settings.freeze_bn_stats:
            freeze_bn_stats(self.network)
        for group, share in zip(groups, shares, strict=True):
            self.losses += self._step(list(islice(batches, len(share.batches))), share, group)
            self.step += 1
            self.progress(self.step, job.total_steps, f"{job.stage} steps")
            if self.leaving or (every is not None and self.step % every == 0):
                self._save_checkpoint(self._state(epoch - 1), after_epoch=False)
        losses, self.losses = self.losses, []
        return losses

    def finish_epoch(self, epoch: int, losses: Sequence[BatchLoss]) -> Checkpoint:
        """Validate, draw the grids, and keep the state of the epoch, whose losses are given; none for epoch 0."""
        row: HistoryRow = {"epoch": epoch, "step": self.step, "lr": None, "train_loss": None}
        if losses:
            row["lr"] = self._learning_rate(self.step - 1)
            row |= {f"train_{name}": _mean(losses, name) for name in losses[0]}
        seen = self.fabric.broadcast(self._validate_and_preview(epoch) if self.states else None)
        assert seen is not None
        self.history.append({**row, **seen})
        state = self._state(epoch)
        self._save_checkpoint(state)
        return state

    def _validate_and_preview(self, epoch: int) -> dict[str, float | None]:
        """Validate and draw the grids, with the averaged weights where there are any."""
        network, device = PrecisionWrapper(self.fabric, self.network), self.fabric.device
        assert self.states is not None
        with self.average.applied_to(self.network) if self.average else nullcontext():
            found = validate(network, self.job.val, self.job.settings.batch_size, device)
            write_grids(self.states.grids, epoch, network, self.grid_rows, device)
        return found

    def _state(self, epoch: int) -> Checkpoint:
        """The state of the run, `epoch` epochs being done."""
        return Checkpoint(
            network=self.network.config.to_dict(),
            model=self.network.state_dict(),
            seed=self.job.seed,
            config_hash=self.job.config_hash,
            epoch=epoch,
            step=self.step,
            best_epoch=best_epoch(self.history),
            history=tuple(self.history),
            optimizer=self.optimizer.state_dict(),
            scaler=self.fabric.strategy.precision.state_dict(),
            ema=self.average.tensors if self.average else None,
            losses=tuple(self.losses),
        )

    def _save_checkpoint(self, state: Checkpoint, after_epoch: bool = True) -> None:
        """Write a state; and leave, if the run was told to stop."""
        if self.states is not None:
            self.states.write(state, after_epoch)
        if self.leaving:
            self.stop.exit()

    def _step(self, batches: Sequence[Batch], share: RankBatches, group: Sequence[Rows]) -> list[BatchLoss]:
        """One optimizer step on the mean loss of a group of batches, of which some are this process's; all losses."""
        own: list[BatchLoss] = []
        for batch in batches:
            with self.fabric.no_backward_sync(self.module, enabled=batch is not batches[-1]):
                own.append(self._backward(batch, share.weight))
        losses = self._gather_losses(own, len(group))
        check_loss_divergence(self.job, group, [batch["loss"] for batch in losses], self._reference_loss())
        clip = self.job.settings.max_grad_norm
        norm = self.fabric.clip_gradients(self.module, self.optimizer, max_norm=clip, error_if_nonfinite=False)
        if norm is not None and self.job.settings.precision != "16-mixed":  # its scaler passes over overflows
            check_gradient_norm(self.job, group, norm.item())
        for parameters in self.optimizer.param_groups:
            parameters["lr"] = parameters["share"] * self._learning_rate(self.step)
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.average is not None:
            self.average.update(self.network, self.step)
        return losses

    def _backward(self, batch: Batch, weight: float) -> BatchLoss:
        """Add the gradients of a batch's weighted loss; the loss as it is, with its terms."""
        inputs = prepare(batch.to(self.fabric.device))
        with self.loss.capturing_offsets(self.network) as offsets:
            _, scales = self.module(inputs.reference, inputs.garment, inputs.agnostic, all_scales=True)
        value = self.loss(scales, LossTargets(inputs.person, inputs.mask, inputs.garment_mask), offsets)
        loss, terms = value.total, [value.terms[name] for name in self.loss.term_names]
        told = torch.stack([loss.detach(), *terms]).tolist()
        if not math.isfinite(told[0]):  # backward through NaN can crash the interpreter; without it others would wait
            loss = torch.stack([parameter.sum() * 0 for parameter in self.network.parameters()]).sum()
        self.fabric.backward(loss * weight)
        return dict(zip(self._names, told, strict=True))

    @property
    def _names(self) -> tuple[str, ...]:
        """Of the numbers that are kept of a batch."""
        return "loss", *self.loss.term_names

    def _gather_losses(self, own: list[BatchLoss], count: int) -> list[BatchLoss]:
        """Losses of the `count` batches of a step, from all processes; and whether one of them was told to stop."""
        self.leaving = self.stop.requested
        world, names = self.job.context.world_size, self._names
        if world == 1:
            return own
        told = torch.zeros(1 + self.job.settings.grad_accumulation_steps, len(names), dtype=torch.float64)
        told[0] = float(self.stop.requested)
        for place, losses in enumerate(own, start=1):
            told[place] = torch.tensor([losses[name] for name in names], dtype=torch.float64)
        heard = cast(Tensor, self.fabric.all_gather(told.to(self.fabric.device))).tolist()
        self.leaving = any(process[0][0] for process in heard)
        return [dict(zip(names, heard[n % world][1 + n // world], strict=True)) for n in range(count)]

    def _reference_loss(self) -> float | None:
        """Mean loss of the epoch before, in the first one of the batches so far; None when these are few."""
        before = self.history[-1]["train_loss"]
        if before is not None:
            return before
        return _mean(self.losses, "loss") if len(self.losses) >= MIN_REFERENCE_BATCHES else None

    def _learning_rate(self, step: int) -> float:
        settings = self.job.settings
        return learning_rate(step, self.job.total_steps, settings.lr, settings.warmup_steps)


def _mean(losses: Sequence[BatchLoss], name: str) -> float:
    return math.fsum(batch[name] for batch in losses) / len(losses)
