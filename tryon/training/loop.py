"""The training loop: batches, loss, gradients, optimizer steps, and validation with sample grids after every epoch.

Weights depend on no global random state or clock, and checkpoints hold everything that later steps need, so an
interrupted run resumes to identical bytes (on a CPU with the same number of threads).
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
from tryon.training.fabric_setup import PrecisionWrapper, assert_same_run, fabric_session
from tryon.training.graceful_stop import SigtermHandler
from tryon.training.loss_networks import validate_scales
from tryon.training.losses import Loss, LossTargets
from tryon.training.memory_budget import check_memory
from tryon.training.optimizer import freeze_bn_stats, learning_rate, make_optimizer
from tryon.training.run_checkpoints import CheckpointManager
from tryon.training.run_config import RunConfig, validate_image_size
from tryon.training.sample_grids import GridRows, write_grids
from tryon.training.step_batches import Rows, batches_for_rank, batches_per_step
from tryon.training.training_log import best_epoch, epochs_since_improvement
from tryon.training.validation import validate

MIN_REFERENCE_BATCHES = 10
"""Minimum number of batches for a reference loss."""


def train(job: RunConfig, network: DAFlow, checkpoints: CheckpointManager | None, progress: Progress) -> Checkpoint:
    """Train `network` in place, from the newest checkpoint or from its current weights.

    Epoch 0 is the starting point; it is validated like the others, and may remain the best. All processes of a
    distributed run call this; only rank 0 has `checkpoints`, validates and writes.

    Returns:
        The state after the last epoch; the best one is in `checkpoints`.

    Raises:
        ParameterError: the image size does not fit the network, memory is insufficient, or the device is missing.
        MissingInputError: the processes do not train the same run.
        TryOnError: a loss or result is not finite, a loss explodes, or a row is damaged.
        SystemExit: SIGTERM was received; the state after the current step is saved.
    """
    validate_image_size(job.train, network)
    validate_scales(job.train.size, network, job.settings.loss)
    job.val.require_non_empty()
    with fabric_session(job.stage, job.settings, job.context) as fabric, SigtermHandler() as stop:
        assert_same_run(job.run_id, fabric)
        check_memory(job, network, fabric)
        trainer = Trainer(job, network, checkpoints, progress, fabric, stop)
        state = trainer.resume() or trainer.finish_epoch(0, [])
        while state.epoch < job.settings.epochs and not trainer.should_stop_early():
            losses = trainer.run_epoch(state.epoch + 1)
            state = trainer.finish_epoch(state.epoch + 1, losses)
        fabric.barrier()  # no rank disconnects while another still communicates
        return state


class Trainer:
    """A run in progress: network, optimizer and EMA on their device, and the position in the run."""

    def __init__(
        self,
        job: RunConfig,
        network: DAFlow,
        checkpoints: CheckpointManager | None,
        progress: Progress,
        fabric: Fabric,
        stop: SigtermHandler,
    ) -> None:
        self.job, self.network, self.checkpoints, self.progress = job, network, checkpoints, progress
        self.fabric, self.stop = fabric, stop
        module: Any = torch.compile(network) if job.settings.compile else network
        self.module, self.optimizer = fabric.setup(module, make_optimizer(network, job.settings))
        decay = job.settings.ema_decay
        self.ema = None if decay is None else ExponentialMovingAverage(network, decay)
        self.loss = Loss(job.settings.loss, job.perceptual).to(fabric.device)
        self.grid_rows = GridRows.select(job.val)
        self.step, self.stopping = 0, False
        self.losses: list[BatchLoss] = []
        self.history: list[HistoryRow] = []

    def resume(self) -> Checkpoint | None:
        """Restore the newest checkpoint of rank 0, if there is one."""
        state = self.fabric.broadcast(self.checkpoints.latest() if self.checkpoints else None)
        if state is not None:
            assert state.optimizer is not None
            self.network.load_state_dict(state.model)
            self.optimizer.load_state_dict(state.optimizer)
            self.fabric.strategy.precision.load_state_dict(state.scaler)
            if self.ema is not None:
                assert state.ema is not None
                self.ema.load(state.ema)
            self.step, self.losses, self.history = state.step, list(state.losses), list(state.history)
        return state

    def should_stop_early(self) -> bool:
        """Return whether validation has not improved for `early_stop_patience` epochs."""
        patience = self.job.settings.early_stop_patience
        return patience is not None and epochs_since_improvement(self.history) >= patience

    def run_epoch(self, epoch: int) -> list[BatchLoss]:
        """Train on the remaining steps of an epoch, and return the losses of all its batches."""
        job, settings = self.job, self.job.settings
        save_every, first_step = settings.checkpoint_every_steps, self.step - (epoch - 1) * job.steps_per_epoch
        steps = batches_per_step(len(job.train), settings, job.seed, epoch)[first_step:]
        rank_batches = [batches_for_rank(step, job.context.rank, job.context.world_size) for step in steps]
        rows = AugmentedDataset(job.train, settings.flip_prob, settings.augment, job.seed, epoch)
        batches = load_batches(rows, [batch for step in rank_batches for batch in step.batches])
        self.module.train()
        if settings.freeze_bn_stats:
            freeze_bn_stats(self.network)
        for step, local in zip(steps, rank_batches, strict=True):
            self.losses += self._train_step(list(islice(batches, len(local.batches))), local.weight, step)
            self.step += 1
            self.progress(self.step, job.total_steps, f"{job.stage} steps")
            if self.stopping or (save_every is not None and self.step % save_every == 0):
                self._save_checkpoint(self._state(epoch - 1), after_epoch=False)
        losses, self.losses = self.losses, []
        return losses

    def finish_epoch(self, epoch: int, losses: Sequence[BatchLoss]) -> Checkpoint:
        """Validate, write the grids and save the checkpoint of an epoch with these losses (none for epoch 0)."""
        row: HistoryRow = {"epoch": epoch, "step": self.step, "lr": None, "train_loss": None}
        if losses:
            row["lr"] = self._learning_rate(self.step - 1)
            row |= {f"train_{name}": _mean(losses, name) for name in losses[0]}
        scores = self.fabric.broadcast(self._validate_and_preview(epoch) if self.checkpoints else None)
        assert scores is not None
        self.history.append({**row, **scores})
        state = self._state(epoch)
        self._save_checkpoint(state)
        return state

    def _validate_and_preview(self, epoch: int) -> dict[str, float | None]:
        """Validate and write the grids, with the EMA weights if there are any."""
        network, device = PrecisionWrapper(self.fabric, self.network), self.fabric.device
        assert self.checkpoints is not None
        with self.ema.applied_to(self.network) if self.ema else nullcontext():
            scores = validate(network, self.job.val, self.job.settings.batch_size, device)
            write_grids(self.checkpoints.grids, epoch, network, self.grid_rows, device)
        return scores

    def _state(self, epoch: int) -> Checkpoint:
        """Return the state of the run after `epoch` completed epochs."""
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
            ema=self.ema.tensors if self.ema else None,
            losses=tuple(self.losses),
        )

    def _save_checkpoint(self, state: Checkpoint, after_epoch: bool = True) -> None:
        """Write a checkpoint, and exit if SIGTERM was received."""
        if self.checkpoints is not None:
            self.checkpoints.write(state, after_epoch)
        if self.stopping:
            self.stop.exit()

    def _train_step(self, batches: Sequence[Batch], weight: float, step: Sequence[Rows]) -> list[BatchLoss]:
        """Take one optimizer step on the mean loss of all ranks' batches, and return all their losses."""
        local_losses: list[BatchLoss] = []
        for batch in batches:
            with self.fabric.no_backward_sync(self.module, enabled=batch is not batches[-1]):
                local_losses.append(self._backward(batch, weight))
        losses = self._gather_losses(local_losses, len(step))
        check_loss_divergence(self.job, step, [batch["loss"] for batch in losses], self._reference_loss())
        max_norm = self.job.settings.max_grad_norm
        norm = self.fabric.clip_gradients(self.module, self.optimizer, max_norm=max_norm, error_if_nonfinite=False)
        if norm is not None and self.job.settings.precision != "16-mixed":  # its scaler skips overflows
            check_gradient_norm(self.job, step, norm.item())
        for group in self.optimizer.param_groups:
            group["lr"] = group["share"] * self._learning_rate(self.step)
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.ema is not None:
            self.ema.update(self.network, self.step)
        return losses

    def _backward(self, batch: Batch, weight: float) -> BatchLoss:
        """Accumulate the gradients of a batch's weighted loss, and return the unweighted loss and its terms."""
        inputs = prepare(batch.to(self.fabric.device))
        with self.loss.capturing_offsets(self.network) as offsets:
            _, scales = self.module(inputs.reference, inputs.garment, inputs.agnostic, all_scales=True)
        value = self.loss(scales, LossTargets(inputs.person, inputs.mask, inputs.garment_mask), offsets)
        loss, terms = value.total, [value.terms[name] for name in self.loss.term_names]
        numbers = torch.stack([loss.detach(), *terms]).tolist()
        if not math.isfinite(numbers[0]):  # backward through NaN can crash, and no backward would block other ranks
            loss = torch.stack([parameter.sum() * 0 for parameter in self.network.parameters()]).sum()
        self.fabric.backward(loss * weight)
        return dict(zip(self._loss_names, numbers, strict=True))

    @property
    def _loss_names(self) -> tuple[str, ...]:
        return "loss", *self.loss.term_names

    def _gather_losses(self, local_losses: list[BatchLoss], count: int) -> list[BatchLoss]:
        """Gather the losses of a step's `count` batches, and whether any rank received SIGTERM."""
        self.stopping = self.stop.requested
        world_size, names = self.job.context.world_size, self._loss_names
        if world_size == 1:
            return local_losses
        payload = torch.zeros(1 + self.job.settings.grad_accumulation_steps, len(names), dtype=torch.float64)
        payload[0] = float(self.stop.requested)
        for row, losses in enumerate(local_losses, start=1):
            payload[row] = torch.tensor([losses[name] for name in names], dtype=torch.float64)
        gathered = cast(Tensor, self.fabric.all_gather(payload.to(self.fabric.device))).tolist()
        self.stopping = any(rank[0][0] for rank in gathered)
        return [dict(zip(names, gathered[n % world_size][1 + n // world_size], strict=True)) for n in range(count)]

    def _reference_loss(self) -> float | None:
        """Return the mean loss of the previous epoch or, in epoch 1, of the batches so far; None for too few."""
        previous = self.history[-1]["train_loss"]
        if previous is not None:
            return previous
        return _mean(self.losses, "loss") if len(self.losses) >= MIN_REFERENCE_BATCHES else None

    def _learning_rate(self, step: int) -> float:
        settings = self.job.settings
        return learning_rate(step, self.job.total_steps, settings.lr, settings.warmup_steps)


def _mean(losses: Sequence[BatchLoss], name: str) -> float:
    return math.fsum(batch[name] for batch in losses) / len(losses)
