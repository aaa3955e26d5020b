"""Checkpoints of a run in the work directory, from which an interrupted run resumes."""

from __future__ import annotations

import shutil
from pathlib import Path

from tryon.errors import WeightsError
from tryon.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

KEEP_LAST = 2
"""Newest checkpoints to retain: if the last one is damaged, the one before is used."""

DISCARDED_SUFFIX = ".discarded"
"""Name of a run's folder while it is being removed."""


class CheckpointManager:
    """Writes, prunes and finds the checkpoints of one run.

    Args:
        folder: work directory of the stage.
        run_id: hashes of settings, inputs and code. Checkpoints of other runs are removed.
    """

    def __init__(self, folder: Path, run_id: str) -> None:
        self.folder = folder / run_id
        for path in list(folder.glob("*")):
            if path != self.folder:
                _discard(path)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._best_epochs: dict[Path, int] = {}

    @property
    def grids(self) -> Path:
        """Folder of the run's sample grids."""
        return self.folder / "grids"

    def path(self, epoch: int, step: int | None = None) -> Path:
        """Return the file of the checkpoint after an epoch or, with `step`, after a step of the next epoch."""
        return self.folder / (f"epoch_{epoch:03d}.ckpt" if step is None else f"epoch_{epoch:03d}_step_{step:07d}.ckpt")

    def write(self, state: Checkpoint, after_epoch: bool = True) -> None:
        """Write a checkpoint, then remove all but the newest ones and the best ones that they refer to."""
        path = self.path(state.epoch, None if after_epoch else state.step)
        save_checkpoint(path, state)
        self._best_epochs[path] = state.best_epoch
        newest = self._newest_first()[:KEEP_LAST]
        best = {self.path(self._best_epochs[path]) for path in newest if path in self._best_epochs}
        for path in self._newest_first():
            if path not in {*newest, *best}:
                path.unlink()

    def latest(self) -> Checkpoint | None:
        """Load the newest checkpoint that is intact together with its best one; None if there is none."""
        latest: Checkpoint | None = None
        for path in self._newest_first():
            try:
                state = load_checkpoint(path)
                load_checkpoint(self.path(state.best_epoch))
            except WeightsError:
                continue
            self._best_epochs[path] = state.best_epoch
            latest = latest or state
        return latest

    def best(self, state: Checkpoint) -> Checkpoint:
        """Load the checkpoint of the best epoch of `state`."""
        return load_checkpoint(self.path(state.best_epoch))

    def remove(self) -> None:
        """Remove the work directory of a finished run."""
        _discard(self.folder)
        shutil.rmtree(self.folder.parent, ignore_errors=True)

    def _newest_first(self) -> list[Path]:
        return sorted(self.folder.glob("epoch_*.ckpt"), key=_epoch_and_step, reverse=True)


def _discard(folder: Path) -> None:
    """Remove a run's folder, renaming it first so that a kill never leaves a checkpoint without its grids."""
    renamed = folder.with_name(DISCARDED_SUFFIX)
    shutil.rmtree(renamed, ignore_errors=True)
    if folder.is_dir():
        folder.replace(renamed)
    shutil.rmtree(renamed, ignore_errors=True)


def _epoch_and_step(path: Path) -> tuple[int, int]:
    """Parse a checkpoint's file name; numbers beyond the padding do not sort as text."""
    epoch, _, step = path.stem.removeprefix("epoch_").partition("_step_")
    return int(epoch), int(step or -1)
