"""The states of a run: which are kept, and which one a killed run goes on from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tryon.training.checkpoint import Checkpoint
from tryon.training.run_checkpoints import CheckpointManager
from tryon.training.run_outputs import write_history


def state(epoch: int, best: int) -> Checkpoint:
    return Checkpoint(network={}, model={}, epoch=epoch, best_epoch=best, history=({"epoch": epoch, "val_l1": None},))


def names(states: CheckpointManager) -> list[str]:
    return sorted(path.name for path in states.folder.glob("*.ckpt"))


def test_the_newest_two_and_the_best_are_kept(tmp_path: Path) -> None:
    states = CheckpointManager(tmp_path, "run")
    for epoch in range(6):
        states.write(state(epoch, min(epoch, 1)))
    assert names(states) == ["epoch_001.ckpt", "epoch_004.ckpt", "epoch_005.ckpt"]
    found = states.latest()
    assert found is not None
    assert (found.epoch, states.best(found).epoch) == (5, 1)


def test_states_between_epochs_count_as_newest_and_the_best_of_each_kept_one_stays(tmp_path: Path) -> None:
    states = CheckpointManager(tmp_path, "run")
    for epoch, best in ((0, 0), (1, 0), (2, 0)):
        states.write(state(epoch, best))
    states.write(replace(state(2, 0), step=12), after_epoch=False)
    assert names(states) == ["epoch_000.ckpt", "epoch_002.ckpt", "epoch_002_step_0000012.ckpt"]
    states.write(state(3, 3))
    assert names(states) == ["epoch_000.ckpt", "epoch_002_step_0000012.ckpt", "epoch_003.ckpt"]
    (states.folder / "epoch_003.ckpt").write_bytes(b"cut off")
    again = CheckpointManager(tmp_path, "run")
    found = again.latest()
    assert found is not None
    assert (found.epoch, found.step, again.best(found).epoch) == (2, 12, 0)
    again.write(replace(state(2, 0), step=13), after_epoch=False)
    assert again.path(0).exists()


@pytest.mark.parametrize("last", [1000, 10_000])
def test_the_newest_is_the_highest_number_and_not_the_last_name(last: int, tmp_path: Path) -> None:
    states = CheckpointManager(tmp_path, "run")
    for epoch in (last - 1, last):
        states.write(state(epoch, epoch))
    found = states.latest()
    assert found is not None
    assert found.epoch == last


def test_a_kill_while_a_run_is_removed_leaves_no_state_without_its_grids(tmp_path: Path, monkeypatch) -> None:
    states = CheckpointManager(tmp_path / "area", "run")
    states.write(state(0, 0))

    def killed(folder: Path, ignore_errors: bool) -> None:
        if folder.exists():
            raise KeyboardInterrupt

    monkeypatch.setattr("tryon.training.run_checkpoints.shutil.rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        states.remove()
    monkeypatch.undo()
    assert CheckpointManager(tmp_path / "area", "run").latest() is None
    assert [path.name for path in (tmp_path / "area").iterdir()] == ["run"]


def test_grids_of_a_later_epoch_are_not_taken_for_those_of_a_tenth_of_it(tmp_path: Path) -> None:
    states = CheckpointManager(tmp_path / "work", "run")
    states.grids.mkdir()
    for name in ("epoch_100.png", "epoch_100_dresses.png", "epoch_1000.png", "epoch_1000_dresses.png"):
        (states.grids / name).write_bytes(b"")
    (tmp_path / "out").mkdir()
    write_history(tmp_path / "out", state(100, 100), states)
    copied = sorted(path.name for path in (tmp_path / "out" / "grids").iterdir())
    assert copied == ["epoch_100.png", "epoch_100_dresses.png"]
