"""Our checkpoints: tensors and plain values in one file, written whole, read without running anything in it."""

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

RETRAIN_HINT = "Make it again with the stage that wrote it."
"""What to do about a checkpoint that cannot be read, where nothing better is known."""

HistoryRow = dict[str, float | int | None]
BatchLoss = dict[str, float]


@dataclass(frozen=True)
class Checkpoint:
    """The state of a training run after a step, or a network to start from.

    There is no random state in it: whatever a step draws is a function of seed, epoch and position.

    Args:
        network: options of the network, `DAFlowConfig.to_dict()`.
        model: the network's state dict.
        seed: of the run.
        config_hash: names the settings and inputs of the run.
        epoch: epochs done.
        step: optimizer steps done; the learning rate follows from it.
        best_epoch: the epoch with the best validation up to here.
        history: one row per epoch, 0 being the starting point.
        optimizer: the optimizer's state dict; None in a checkpoint that is for use and not for going on.
        scaler: state of the loss scaling of `16-mixed`; empty under other precisions.
        ema: state dict of the averaged network, which is the one that is looked at; None without averaging.
        losses: of the batches of an epoch that is not over, in order: `loss` and its terms by name.
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
        """The same without what only going on needs; its model is the averaged network where there is one."""
        model = self.model if self.ema is None else self.ema
        return replace(self, model=model, optimizer=None, scaler={}, averaged=None, losses=())


def _named(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(name, str) for name in value)


def _count(value: Any) -> bool:
    return isinstance(value, int) and value >= 0


def _tensors(value: Any) -> bool:
    return _named(value) and all(isinstance(tensor, Tensor) for tensor in value.values())


def _numbers(value: Any) -> bool:
    return _named(value) and all(isinstance(number, float) for number in value.values())


_ENTRIES: dict[str, Callable[[Any], bool]] = {
    "network": _named,
    "model": _tensors,
    "seed": lambda value: isinstance(value, int),
    "config_hash": lambda value: isinstance(value, str),
    "epoch": _count,
    "step": _count,
    "best_epoch": _count,
    "history": lambda value: isinstance(value, list) and all(map(_named, value)),
    "optimizer": lambda value: value is None or _named(value),
    "scaler": _named,
    "ema": lambda value: value is None or _tensors(value),
    "losses": lambda value: isinstance(value, list) and all(map(_numbers, value)),
}
"""Fields of `Checkpoint`, and what a file must hold under their names."""


def from_network(network: DAFlow) -> Checkpoint:
    """A checkpoint of a network that no run has trained yet."""
    return Checkpoint(network=network.config.to_dict(), model=network.state_dict())


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint atomically; equal states give equal bytes, whatever the file is called."""
    values = {field.name: getattr(checkpoint, field.name) for field in fields(checkpoint)}
    stream = io.BytesIO()
    torch.save(_plain({"kind": KIND, "version": VERSION, **values}), stream)
    write_bytes(path, stream.getvalue())


def load_checkpoint(path: Path, remedy: str = RETRAIN_HINT) -> Checkpoint:
    """Read a checkpoint to the CPU. Only tensors and plain values are accepted: no code in the file is ever run.

    Raises:
        WeightsError: the file is missing, damaged, incomplete, no checkpoint of this project or of another version.
    """
    _verify_checksum(path, remedy)
    content = read_checkpoint(path)
    if not is_checkpoint(content):
        raise WeightsError(str(path), expected="is a checkpoint of this project", hint=remedy)
    if content.get("version") != VERSION:
        raise WeightsError(str(path), expected=f"has version {VERSION}", found=content.get("version"), hint=remedy)
    wrong = [name for name, right in _ENTRIES.items() if name not in content or not right(content[name])]
    if wrong:
        rule = "has every entry of a checkpoint, each of its kind"
        raise WeightsError(
            str(path), expected=rule, found=f"absent or of another kind: {format_list(wrong)}", hint=remedy
        )
    values = {name: content[name] for name in _ENTRIES}
    return Checkpoint(**{**values, "history": tuple(values["history"]), "losses": tuple(values["losses"])})


def load_network(path: Path, remedy: str = RETRAIN_HINT) -> DAFlow:
    """Build the network that a checkpoint of ours holds, on the CPU and in evaluation mode.

    Raises:
        WeightsError: the file is missing, damaged, or does not fit together.
    """
    return build_network(load_checkpoint(path, remedy), str(path)).eval()


def build_network(checkpoint: Checkpoint, name: str) -> DAFlow:
    """The network of a checkpoint, with its weights; `name` stands in messages.

    Raises:
        NetworkOptionError: the options are not those of a network.
        WeightsError: the weights do not have the shape that the options say.
    """
    network = DAFlow.from_config(DAFlowConfig.from_dict(checkpoint.network))
    network.load_state_dict(validate_state(network, checkpoint.model, name))
    return network


def is_checkpoint(content: Any) -> bool:
    """Whether what a file holds is a checkpoint of ours, of any version."""
    return isinstance(content, Mapping) and content.get("kind") == KIND


def _verify_checksum(path: Path, remedy: str) -> None:
    """Compare the checksums in the file with its content, which torch does not do.

    Raises:
        WeightsError: they differ, or the file is missing or cut off.
    """
    if not path.is_file():
        raise WeightsError(str(path), expected="exists", hint=remedy)
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (zipfile.BadZipFile, EOFError) as error:
        raise WeightsError(str(path), expected="is a whole checkpoint", found=str(error), hint=remedy) from error
    if damaged is not None:
        raise WeightsError(str(path), expected="is undamaged", found=f"checksum of {damaged}", hint=remedy)


def _plain(value: Any) -> Any:
    """Rebuild a value so that equal values are pickled to equal bytes.

    Pickle writes a second mention of the same object as a reference, so equal strings must be one object, and equal
    containers never the same one; a tensor must own its memory and have one layout.
    """
    if isinstance(value, Tensor):
        return value.detach().to("cpu").contiguous().clone()
    if isinstance(value, Mapping):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return sys.intern(value) if type(value) is str else value
