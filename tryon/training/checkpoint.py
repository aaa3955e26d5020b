"""Read and write checkpoints: tensors and plain values, loaded without executing code."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tryon.daflow import DAFlow, DAFlowConfig, read_checkpoint, validate_state
from tryon.errors import WeightsError, format_list
from tryon.runtime.atomic_files import write_bytes

KIND = "fitting-room checkpoint"
VERSION = 3

RETRAIN_HINT = "Run the stage that wrote it again."

HistoryRow = dict[str, float | int | None]
BatchLoss = dict[str, float]


@dataclass(frozen=True)
class Checkpoint:
    """State of a training run after a step, or a network to start from.

    It holds no random state: random values are functions of seed, epoch and position.

    Args:
        network: `DAFlowConfig.to_dict()`.
        model: the network's state dict.
        seed: of the run.
        config_hash: hash of the run's settings and inputs.
        epoch: completed epochs.
        step: completed optimizer steps.
        best_epoch: epoch with the best validation so far.
        history: one row per epoch; epoch 0 is the starting point.
        optimizer: state dict of the optimizer; None in a checkpoint for inference.
        scaler: state of the gradient scaler of `16-mixed`; empty under other precisions.
        ema: state dict of the averaged weights, which are validated; None without EMA.
        losses: `loss` and its terms for each batch of an incomplete epoch.
    """

    network: dict[str, Any]
    model: dict[str, Tensor]
    seed: int = 0
    config_hash: str = ""
    epoch: int = 0
    step: int = 0
    best_epoch: int = 0
    history: tuple[HistoryRow, ...] = ()
    optimizer: dict[str, Any] | None = None
    scaler: dict[str, Any] = field(default_factory=dict)
    ema: dict[str, Tensor] | None = None
    losses: tuple[BatchLoss, ...] = ()

    def inference_copy(self) -> Checkpoint:
        """Return a copy without the state needed to resume; its model is the averaged one if there is one."""
        model = self.model if self.ema is None else self.ema
        return replace(self, model=model, optimizer=None, scaler={}, ema=None, losses=())


def _is_named(value: Any, kind: type) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(name, str) and isinstance(item, kind) for name, item in value.items()
    )


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and value >= 0


_VALIDATORS: dict[str, Callable[[Any], bool]] = {
    "network": lambda value: _is_named(value, object),
    "model": lambda value: _is_named(value, Tensor),
    "seed": lambda value: isinstance(value, int),
    "config_hash": lambda value: isinstance(value, str),
    "epoch": _is_count,
    "step": _is_count,
    "best_epoch": _is_count,
    "history": lambda value: isinstance(value, list) and all(_is_named(row, object) for row in value),
    "optimizer": lambda value: value is None or _is_named(value, object),
    "scaler": lambda value: _is_named(value, object),
    "ema": lambda value: value is None or _is_named(value, Tensor),
    "losses": lambda value: isinstance(value, list) and all(_is_named(losses, float) for losses in value),
}
"""Checks of the fields of `Checkpoint` as stored in a file."""


def from_network(network: DAFlow) -> Checkpoint:
    """Create the checkpoint of an untrained network."""
    return Checkpoint(network=network.config.to_dict(), model=network.state_dict())


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint atomically; equal states give equal bytes."""
    values = {field.name: getattr(checkpoint, field.name) for field in fields(checkpoint)}
    stream = io.BytesIO()
    torch.save(_plain({"kind": KIND, "version": VERSION, **values}), stream)
    write_bytes(path, stream.getvalue())


def load_checkpoint(path: Path, hint: str = RETRAIN_HINT) -> Checkpoint:
    """Read a checkpoint to the CPU. Only tensors and plain values are accepted, so no code is executed.

    Raises:
        WeightsError: the file is missing, damaged, incomplete, of another version or not a checkpoint.
    """
    _verify_checksum(path, hint)
    content = read_checkpoint(path)
    if not is_checkpoint(content):
        raise WeightsError(f"{path} is not a checkpoint of this project", hint=hint)
    if content.get("version") != VERSION:
        raise WeightsError(
            f"{path} has another checkpoint version", found=content.get("version"), expected=str(VERSION), hint=hint
        )
    invalid = [name for name, is_valid in _VALIDATORS.items() if name not in content or not is_valid(content[name])]
    if invalid:
        raise WeightsError(f"{path} has missing or invalid entries: {format_list(invalid)}", hint=hint)
    values = {name: content[name] for name in _VALIDATORS}
    return Checkpoint(**{**values, "history": tuple(values["history"]), "losses": tuple(values["losses"])})


def load_network(path: Path, hint: str = RETRAIN_HINT) -> DAFlow:
    """Load the network of a checkpoint, on the CPU and in evaluation mode; raises like `load_checkpoint`."""
    return build_network(load_checkpoint(path, hint), str(path)).eval()


def build_network(checkpoint: Checkpoint, name: str) -> DAFlow:
    """Build the network of a checkpoint; `name` is its name in messages.

    Raises:
        NetworkOptionError: the checkpoint holds invalid network options.
        WeightsError: the weights do not fit the options.
    """
    network = DAFlow(DAFlowConfig.from_dict(checkpoint.network))
    network.load_state_dict(validate_state(network, checkpoint.model, name))
    return network


def is_checkpoint(content: Any) -> bool:
    """Return whether a file's content is a checkpoint of this project, of any version."""
    return isinstance(content, Mapping) and content.get("kind") == KIND


def _verify_checksum(path: Path, hint: str) -> None:
    """Verify the checksums of the zip archive, which torch does not."""
    if not path.is_file():
        raise WeightsError(f"{path} not found", hint=hint)
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (zipfile.BadZipFile, EOFError) as error:
        raise WeightsError(f"{path} is damaged or not a checkpoint", found=str(error), hint=hint) from error
    if damaged is not None:
        raise WeightsError(f"{path} is damaged: {damaged} does not match its checksum", hint=hint)


def _plain(value: Any) -> Any:
    """Rebuild a value so that equal values are pickled to equal bytes.

    Pickle writes repeated objects as references, so equal strings must be one object and equal containers distinct
    ones; tensors must own contiguous memory.
    """
    if isinstance(value, Tensor):
        return value.detach().to("cpu").contiguous().clone()
    if isinstance(value, Mapping):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return sys.intern(value) if type(value) is str else value
