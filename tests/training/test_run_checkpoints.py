"""Checkpoints of a run: which are retained, and from which one a killed run resumes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tryon.training.checkpoint import Checkpoint
from tryon.training.run_checkpoints import CheckpointManager
from tryon.training.run_outputs import write_history


def state(epoch: int, best: int) -> Checkpoint:
    return Checkpoint(network={}, model={}, epoch=epoch, best_epoch=best, history=({"epoch": epoch, "val_l1": None},))


def names(checkpoints: CheckpointManager) -> list[str]:
    return sorted(path.name for path in checkpoints.folder.glob("*.ckpt"))


def test_retains_the_newest_two_and_the_best(tmp_path: Path) -> None:
    checkpoints = CheckpointManager(tmp_path, "run")
    for epoch in range(6):
        checkpoints.write(state(epoch, min(epoch, 1)))
    assert names(checkpoints) == ["epoch_001.ckpt", "epoch_004.ckpt", "epoch_005.ckpt"]
    latest = checkpoints.latest()
    assert latest is not None
    assert (latest.epoch, checkpoints.best(latest).epoch) == (5, 1)


def test_retains_step_checkpoints_and_the_best_of_each(tmp_path: Path) -> None:
    checkpoints = CheckpointManager(tmp_path, "run")
    for epoch, best in ((0, 0), (1, 0), (2, 0)):
        checkpoints.write(state(epoch, best))
    checkpoints.write(replace(state(2, 0), step=12), after_epoch=False)
    assert names(checkpoints) == ["epoch_000.ckpt", "epoch_002.ckpt", "epoch_002_step_0000012.ckpt"]
    checkpoints.write(state(3, 3))
    assert names(checkpoints) == ["epoch_000.ckpt", "epoch_002_step_0000012.ckpt", "epoch_003.ckpt"]
    (checkpoints.folder / "epoch_003.ckpt").write_bytes(b"truncated")
    reopened = CheckpointManager(tmp_path, "run")
    latest = reopened.latest()
    assert latest is not None
    assert (latest.epoch, latest.step, reopened.best(latest).epoch) == (2, 12, 0)
    reopened.write(replace(state(2, 0), step=13), after_epoch=False)
    assert reopened.path(0).exists()


@pytest.mark.parametrize("last", [1000, 10_000])
def test_newest_is_chosen_by_number(last: int, tmp_path: Path) -> None:
    checkpoints = CheckpointManager(tmp_path, "run")
    for epoch in (last - 1, last):
        checkpoints.write(state(epoch, epoch))
    latest = checkpoints.latest()
    assert latest is not None
    assert latest.epoch == last


def test_kill_during_removal_leaves_no_checkpoint(tmp_path: Path, monkeypatch) -> None:
    checkpoints = CheckpointManager(tmp_path / "work", "run")
    checkpoints.write(state(0, 0))

    def killed(folder: Path, ignore_errors: bool) -> None:
        if folder.exists():
            raise KeyboardInterrupt

    monkeypatch.setattr("tryon.training.run_checkpoints.shutil.rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.remove()
    monkeypatch.undo()
    assert CheckpointManager(tmp_path / "work", "run").latest() is None
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["run"]


def test_copies_only_grids_of_the_history(tmp_path: Path) -> None:
    checkpoints = CheckpointManager(tmp_path / "work", "run")
    checkpoints.grids.mkdir()
    for name in ("epoch_100.png", "epoch_100_dresses.png", "epoch_1000.png", "epoch_1000_dresses.png"):
        (checkpoints.grids / name).write_bytes(b"")
    (tmp_path / "out").mkdir()
    write_history(tmp_path / "out", state(100, 100), checkpoints)
    copied = sorted(path.name for path in (tmp_path / "out" / "grids").iterdir())
    assert copied == ["epoch_100.png", "epoch_100_dresses.png"]
