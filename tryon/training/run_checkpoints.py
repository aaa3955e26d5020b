"""The states of a run in a work area: after epochs and between them; a killed run goes on from the newest."""

from __future__ import annotations

import shutil
from pathlib import Path

from tryon.errors import WeightsError
from tryon.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

KEEP_LAST = 2
"""Newest states kept: when the last one turns out damaged, the one before is used."""

DISCARDED_SUFFIX = ".discarded"
"""Name of a run's folder while it is removed."""


class CheckpointManager:
    """States of one run, found again under the same name by a run of the same settings, inputs and code.

    Args:
        folder: work area of the stage.
        name: digest of the settings, inputs and code. States under other names are removed.
    """

    def __init__(self, folder: Path, run_id: str) -> None:
        self.folder = folder / run_id
        for other in list(folder.glob("*")):
            if other != self.folder:
                _discard(other)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._best_of: dict[Path, int] = {}

    @property
    def grids(self) -> Path:
        """Where the sample grids of the run gather."""
        return self.folder / "grids"

    def path(self, epoch: int, step: int | None = None) -> Path:
        """File of the state after an epoch or, with `step`, after a step of the epoch that follows it."""
        return self.folder / (f"epoch_{epoch:03d}.ckpt" if step is None else f"epoch_{epoch:03d}_step_{step:07d}.ckpt")

    def write(self, state: Checkpoint, after_epoch: bool = True) -> None:
        """Write a state, then remove those that are neither among the newest nor the best of one of these.

        Raises:
            OSError: it cannot be written; all that was there before is still there.
        """
        path = self.path(state.epoch, None if after_epoch else state.step)
        save_checkpoint(path, state)
        self._best_of[path] = state.best_epoch
        newest = self._newest_first()[:KEEP_LAST]
        kept = {*newest, *(self.path(self._best_of[path]) for path in newest if path in self._best_of)}
        for path in self._newest_first():
            if path not in kept:
                path.unlink()

    def latest(self) -> Checkpoint | None:
        """The newest state that is whole, together with the best state it speaks of; None when there is none."""
        found: Checkpoint | None = None
        for path in self._newest_first():
            try:
                state = load_checkpoint(path)
                load_checkpoint(self.path(state.best_epoch))
            except WeightsError:
                continue
            self._best_of[path] = state.best_epoch
            found = found or state
        return found

    def best(self, state: Checkpoint) -> Checkpoint:
        """The state of the best epoch that `state` speaks of."""
        return load_checkpoint(self.path(state.best_epoch))

    def remove(self) -> None:
        """Remove the work area; the run is done and its results lie elsewhere."""
        _discard(self.folder)
        shutil.rmtree(self.folder.parent, ignore_errors=True)

    def _newest_first(self) -> list[Path]:
        return sorted(self.folder.glob("epoch_*.ckpt"), key=_epoch_and_step, reverse=True)


def _discard(folder: Path) -> None:
    """Remove the folder of a run; it loses its name first, so that a kill never leaves a state without its grids."""
    nameless = folder.with_name(DISCARDED_SUFFIX)
    shutil.rmtree(nameless, ignore_errors=True)
    if folder.is_dir():
        folder.replace(nameless)
    shutil.rmtree(nameless, ignore_errors=True)


def _epoch_and_step(path: Path) -> tuple[int, int]:
    """Epoch and step in a state's file name; large numbers make names that no longer sort in time order."""
    epoch, _, step = path.stem.removeprefix("epoch_").partition("_step_")
    return int(epoch), int(step or -1)
