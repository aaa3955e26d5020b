"""The states of a run, one file per epoch in a work area, from which a killed run goes on."""

from __future__ import annotations

import shutil
from pathlib import Path

from tryon.errors import WeightsError
from tryon.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

KEPT = 2
"""Newest states kept: when the last one turns out damaged, the one before is used."""


class EpochStates:
    """States of one run, found again under the same name by a run of the same settings, inputs and code.

    Args:
        folder: work area of the stage.
        name: digest of the settings, inputs and code. States under other names are removed.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder / name
        for other in folder.glob("*"):
            if other != self.folder:
                shutil.rmtree(other, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def grids(self) -> Path:
        """Where the sample grids of the run gather."""
        return self.folder / "grids"

    def path(self, epoch: int) -> Path:
        """File of one epoch's state."""
        return self.folder / f"epoch_{epoch:03d}.ckpt"

    def write(self, state: Checkpoint) -> None:
        """Write a state, then remove those that are neither the best nor among the newest."""
        save_checkpoint(self.path(state.epoch), state)
        kept = {self.path(state.best_epoch), *(self.path(state.epoch - back) for back in range(KEPT))}
        for path in self.folder.glob("epoch_*.ckpt"):
            if path not in kept:
                path.unlink()

    def latest(self) -> Checkpoint | None:
        """The newest state that is whole, together with the best state it speaks of; None when there is none."""
        for path in sorted(self.folder.glob("epoch_*.ckpt"), key=_epoch_of, reverse=True):
            try:
                state = load_checkpoint(path)
                load_checkpoint(self.path(state.best_epoch))
            except WeightsError:
                continue
            return state
        return None

    def best(self, state: Checkpoint) -> Checkpoint:
        """The state of the best epoch that `state` speaks of."""
        return load_checkpoint(self.path(state.best_epoch))

    def remove(self) -> None:
        """Remove the work area; the run is done and its results lie elsewhere."""
        shutil.rmtree(self.folder.parent, ignore_errors=True)


def _epoch_of(path: Path) -> int:
    """The number in a state's file name; from 1000 on, names no longer sort in time order."""
    return int(path.stem.removeprefix("epoch_"))
