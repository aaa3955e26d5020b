"""Fine-tuning: what it leaves behind, that it repeats, that it learns, that it survives being killed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from tryon.errors import MissingInputError, ParameterError, TryOnError, WeightsError
from tryon.manifest import PACKED, read_table, write_table
from tryon.progress import silent
from tryon.training import loop
from tryon.training.checkpoint import load_checkpoint
from tryon.training.finetune import finetune
from tryon.training.pretrain import pretrain
from tryon.training.settings import FinetuneSettings, PretrainSettings
from tryon.workspace import Workspace


class KilledError(Exception):
    """Stands for a kill."""


def kill_at(step: int):
    def progress(done: int, total: int, what: str) -> None:
        if done == step:
            raise KilledError

    return progress


@pytest.fixture
def started(workspace: Workspace, pretrain_settings: PretrainSettings) -> Workspace:
    pretrain(pretrain_settings, 7, workspace, silent)
    return workspace


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_leaves_checkpoints_history_and_grids(started: Workspace, finetune_settings: FinetuneSettings) -> None:
    seen = []
    summary = finetune(finetune_settings, 7, started, lambda *report: seen.append(report))
    best, last = (load_checkpoint(started.checkpoints / name) for name in ("best.ckpt", "last.ckpt"))
    assert (last.epoch, last.step, best.epoch) == (2, 8, last.best_epoch)
    assert min(row["val_l1"] or 0 for row in last.history) == last.history[best.epoch]["val_l1"]
    assert len(list((started.checkpoints / "grids").glob("epoch_00[012]*.png"))) == 12
    assert seen == [(step, 8, "finetune steps") for step in range(1, 9)]
    assert len(summary.table) == 3
    assert not started.staging("finetune").exists()


def test_it_repeats_to_the_byte_and_depends_on_the_seed(
    started: Workspace, finetune_settings: FinetuneSettings
) -> None:
    outputs = []
    for seed in (7, 7, 8):
        finetune(finetune_settings, seed, started, silent)
        outputs.append(files_of(started.checkpoints))
    assert outputs[0] == outputs[1]
    assert outputs[0]["last.ckpt"] != outputs[2]["last.ckpt"]


@pytest.mark.parametrize("step", [2, 5, 8])
def test_a_killed_run_goes_on_to_the_same_bytes(
    step: int, started: Workspace, finetune_settings: FinetuneSettings, tmp_path: Path
) -> None:
    settings = finetune_settings.model_copy(update={"accumulate": 1})
    finetune(settings, 7, started, silent)
    uninterrupted = files_of(started.checkpoints)
    shutil.rmtree(started.checkpoints)
    with pytest.raises(KilledError):
        finetune(settings, 7, started, kill_at(step))
    assert not started.checkpoints.exists()
    steps = []
    finetune(settings, 7, started, lambda done, total, what: steps.append(done))
    assert steps[0] == (step - 1) // 4 * 4 + 1  # from the last whole epoch
    assert files_of(started.checkpoints) == uninterrupted


def test_a_damaged_state_is_passed_over(started: Workspace, finetune_settings: FinetuneSettings) -> None:
    finetune(finetune_settings, 7, started, silent)
    uninterrupted = files_of(started.checkpoints)
    with pytest.raises(KilledError):
        finetune(finetune_settings, 7, started, kill_at(6))
    (newest,) = started.staging("finetune").glob("*/epoch_001.ckpt")
    newest.write_bytes(newest.read_bytes()[:-100])
    steps = []
    finetune(finetune_settings, 7, started, lambda done, total, what: steps.append(done))
    assert steps[0] == 1
    assert files_of(started.checkpoints) == uninterrupted


def test_other_settings_start_anew(started: Workspace, finetune_settings: FinetuneSettings) -> None:
    with pytest.raises(KilledError):
        finetune(finetune_settings, 7, started, kill_at(6))
    steps = []
    other = finetune_settings.model_copy(update={"lr": 2e-3})
    finetune(other, 7, started, lambda done, total, what: steps.append(done))
    assert steps[0] == 1


def test_accumulation_steps_once_for_several_batches(started: Workspace, finetune_settings: FinetuneSettings) -> None:
    finetune(finetune_settings.model_copy(update={"accumulate": 3}), 7, started, silent)
    assert load_checkpoint(started.checkpoints / "last.ckpt").step == 4  # four batches an epoch: three and one


def test_no_epochs_keep_the_starting_point(started: Workspace, finetune_settings: FinetuneSettings) -> None:
    finetune(finetune_settings.model_copy(update={"epochs": 0}), 7, started, silent)
    start = load_checkpoint(started.pretrained / "model.ckpt")
    best = load_checkpoint(started.checkpoints / "best.ckpt")
    assert all((best.model[key] == tensor).all() for key, tensor in start.model.items())


def test_it_learns(started: Workspace, finetune_settings: FinetuneSettings) -> None:
    finetune(finetune_settings.model_copy(update={"epochs": 12}), 7, started, silent)
    history = load_checkpoint(started.checkpoints / "last.ckpt").history
    first, last = history[1]["train_loss"], history[12]["train_loss"]
    assert first is not None
    assert last is not None
    assert last < 0.85 * first


def test_a_loss_that_is_not_finite_stops_naming_the_pairs(
    started: Workspace, finetune_settings: FinetuneSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "multiscale_l1", lambda results, *_: results[-1].mean() * float("nan"))
    with pytest.raises(TryOnError, match=r"loss of pairs 0000.*finetune\.lr"):
        finetune(finetune_settings, 7, started, silent)
    assert not started.checkpoints.exists()


def test_a_size_that_does_not_fit_the_network_names_the_key(
    started: Workspace, finetune_settings: FinetuneSettings
) -> None:
    for part in ("train", "val"):
        table = read_table(started.subset(part), PACKED)
        widths = pa.array([18] * table.num_rows, pa.int32())
        table = table.set_column(table.schema.get_field_index("width"), "width", widths)
        write_table(started.subset(part), table, PACKED)
    with pytest.raises(ParameterError, match=r"image\.size: both sides are multiples of 4"):
        finetune(finetune_settings, 7, started, silent)
    assert not started.checkpoints.exists()


def test_absent_inputs_name_the_command(
    workspace: Workspace, finetune_settings: FinetuneSettings, tmp_path: Path
) -> None:
    with pytest.raises(WeightsError, match="tryon pretrain"):
        finetune(finetune_settings, 7, workspace, silent)
    with pytest.raises(MissingInputError, match="tryon sample"):
        finetune(finetune_settings, 7, Workspace(tmp_path / "empty"), silent)
