"""The finetune stage: outputs, reproducibility, learning, and resuming after a kill."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import torch
from torch import Tensor

from tryon.config.training import FinetuneSettings, PretrainSettings
from tryon.errors import MissingInputError, ParameterError, TryOnError, WeightsError
from tryon.finetune.stage import finetune
from tryon.loading.epoch_order import epoch_order, split_batches
from tryon.loading.packed_dataset import PackedDataset
from tryon.manifest import PACKED, read_table, write_table
from tryon.pretrain.stage import pretrain
from tryon.runtime.code_version import ROOT
from tryon.runtime.progress import no_progress
from tryon.training import loop
from tryon.training.checkpoint import build_network, load_checkpoint
from tryon.training.losses import Loss, LossValue
from tryon.training.validation import validate
from tryon.workspace import Workspace

pytestmark = pytest.mark.slow


class KilledError(Exception):
    """Simulates a kill."""


def kill_at(step: int):
    def progress(done: int, total: int, label: str) -> None:
        if done == step:
            raise KilledError

    return progress


@pytest.fixture
def started(workspace: Workspace, pretrain_settings: PretrainSettings) -> Workspace:
    pretrain(pretrain_settings, 7, workspace, no_progress)
    return workspace


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_writes_checkpoints_history_and_grids(started: Workspace, finetune_settings: FinetuneSettings) -> None:
    progress = []
    summary = finetune(finetune_settings, 7, started, lambda done, total, label: progress.append((done, total, label)))
    best, last = (load_checkpoint(started.checkpoints / name) for name in ("best.ckpt", "last.ckpt"))
    assert (last.epoch, last.step, best.epoch) == (2, 8, last.best_epoch)
    assert min(row["val_l1"] or 0 for row in last.history) == last.history[best.epoch]["val_l1"]
    assert len(list((started.checkpoints / "grids").glob("epoch_00[012]*.png"))) == 12
    assert progress == [(step, 8, "finetune steps") for step in range(1, 9)]
    assert len(summary.table) == 3
    assert not started.work_dir("finetune").exists()


def test_is_reproducible_to_the_byte(started: Workspace, finetune_settings: FinetuneSettings) -> None:
    outputs = []
    for seed in (7, 7, 8):
        finetune(finetune_settings, seed, started, no_progress)
        outputs.append(files_of(started.checkpoints))
    assert outputs[0] == outputs[1]
    assert outputs[0]["last.ckpt"] != outputs[2]["last.ckpt"]


EXACT = {"ema_decay": 0.9, "grad_accumulation_steps": 2, "checkpoint_every_steps": 1}
"""Steps of two batches and one: two per epoch, four in all; every field of a checkpoint is in use."""

KILLS = [["step", 1], ["write", 2], ["step", 3], ["write", 4]]
"""Each in a new process that resumes from the previous one: before a step's checkpoint is written, during the second
write, at the start of an epoch, and while a sample grid is written."""


def test_killed_run_resumes_to_the_same_bytes(
    started: Workspace, finetune_settings: FinetuneSettings, tmp_path: Path
) -> None:
    settings = finetune_settings.model_copy(update=EXACT)
    finetune(settings, 7, started, no_progress)
    uninterrupted = files_of(started.checkpoints)
    shutil.rmtree(started.checkpoints)
    command = [
        sys.executable,
        Path(__file__).parents[1] / "training" / "killed_run.py",
        started.root,
        settings.model_dump_json(),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TRYON_THREADS": str(torch.get_num_threads())}
    subprocess.run([*command, json.dumps(KILLS)], env=environment, check=True)
    assert files_of(started.checkpoints) == uninterrupted


@pytest.mark.parametrize("every", [None, 1, 3])
def test_resumes_from_the_last_checkpoint(
    every: int | None, started: Workspace, finetune_settings: FinetuneSettings
) -> None:
    settings = finetune_settings.model_copy(update={"checkpoint_every_steps": every})
    with pytest.raises(KilledError):
        finetune(settings, 7, started, kill_at(8))
    assert not started.checkpoints.exists()
    steps = []
    finetune(finetune_settings, 7, started, lambda done, total, label: steps.append(done))
    assert steps[0] == {None: 5, 1: 8, 3: 7}[every]  # epochs end after steps 4 and 8


def test_sigterm_saves_a_checkpoint_and_the_run_resumes(
    started: Workspace, finetune_settings: FinetuneSettings
) -> None:
    finetune(finetune_settings, 7, started, no_progress)
    uninterrupted = files_of(started.checkpoints)
    before = signal.getsignal(signal.SIGTERM)

    def terminate_at_6(done: int, total: int, label: str) -> None:
        if done == 6:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(SystemExit) as ended:
        finetune(finetune_settings, 7, started, terminate_at_6)
    assert ended.value.code == 143
    assert signal.getsignal(signal.SIGTERM) is before
    steps = []
    finetune(finetune_settings, 7, started, lambda done, total, label: steps.append(done))
    assert steps == [8]  # the signal takes effect after the current step
    assert files_of(started.checkpoints) == uninterrupted


def test_damaged_checkpoint_is_skipped(started: Workspace, finetune_settings: FinetuneSettings) -> None:
    settings = finetune_settings.model_copy(update={"checkpoint_every_steps": 1})
    finetune(settings, 7, started, no_progress)
    uninterrupted = files_of(started.checkpoints)
    with pytest.raises(KilledError):
        finetune(settings, 7, started, kill_at(8))
    (newest,) = started.work_dir("finetune").glob("*/epoch_001_step_0000007.ckpt")
    newest.write_bytes(newest.read_bytes()[:-100])
    steps = []
    finetune(settings, 7, started, lambda done, total, label: steps.append(done))
    assert steps[0] == 7
    assert files_of(started.checkpoints) == uninterrupted


def test_full_disk_loses_nothing(
    started: Workspace, finetune_settings: FinetuneSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = finetune_settings.model_copy(update={"checkpoint_every_steps": 1})
    finetune(settings, 7, started, no_progress)
    uninterrupted = files_of(started.checkpoints)
    write = Path.write_bytes
    for last, steps_left in (("epoch_001_step_0000006.ckpt", [6, 7, 8]), ("last.ckpt", [])):
        (started.checkpoints / "best.ckpt").write_bytes(b"of the previous run")
        previous = files_of(started.checkpoints)

        def full(path: Path, data: bytes, last: str = last) -> int:
            if path.name != f".{last}.tmp":
                return write(path, data)
            write(path, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patched:
            patched.setattr(Path, "write_bytes", full)
            with pytest.raises(TryOnError, match="then run `tryon finetune` again"):
                finetune(settings, 7, started, no_progress)
        assert files_of(started.checkpoints) == previous
        steps = []
        finetune(settings, 7, started, lambda done, total, label, steps=steps: steps.append(done))
        assert steps == steps_left
        assert files_of(started.checkpoints) == uninterrupted


def test_other_settings_start_over(started: Workspace, finetune_settings: FinetuneSettings) -> None:
    with pytest.raises(KilledError):
        finetune(finetune_settings, 7, started, kill_at(6))
    steps = []
    other = finetune_settings.model_copy(update={"lr": 2e-3})
    finetune(other, 7, started, lambda done, total, label: steps.append(done))
    assert steps[0] == 1


def test_accumulation_steps_once_for_several_batches(started: Workspace, finetune_settings: FinetuneSettings) -> None:
    finetune(finetune_settings.model_copy(update={"grad_accumulation_steps": 3}), 7, started, no_progress)
    assert load_checkpoint(started.checkpoints / "last.ckpt").step == 4  # four batches per epoch: three and one


def test_stops_early_without_improvement(
    started: Workspace, finetune_settings: FinetuneSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = finetune_settings.model_copy(update={"epochs": 9, "early_stop_patience": 2})
    scores = iter([0.5, 0.4, 0.45, 0.41, 0.3])
    monkeypatch.setattr(loop, "validate", lambda *_: {"val_l1": next(scores)})
    summary = finetune(settings, 7, started, no_progress)
    assert load_checkpoint(started.checkpoints / "last.ckpt").epoch == 3
    assert load_checkpoint(started.checkpoints / "best.ckpt").epoch == 1
    assert "stopped early" in summary.summary


def test_ema_weights_are_validated_and_saved(started: Workspace, finetune_settings: FinetuneSettings) -> None:
    finetune(finetune_settings, 7, started, no_progress)
    plain = load_checkpoint(started.checkpoints / "last.ckpt")
    finetune(finetune_settings.model_copy(update={"ema_decay": 0.99}), 7, started, no_progress)
    averaged = load_checkpoint(started.checkpoints / "last.ckpt")
    assert [row["train_loss"] for row in averaged.history] == [row["train_loss"] for row in plain.history]
    assert averaged.history[2]["val_l1"] != plain.history[2]["val_l1"]
    network = build_network(averaged, "last.ckpt")
    scores = validate(network, PackedDataset.read(started.subset("val")), 2, torch.device("cpu"))
    assert scores["val_l1"] == averaged.history[2]["val_l1"]


def test_frozen_batch_norms_keep_their_statistics(started: Workspace, finetune_settings: FinetuneSettings) -> None:
    start = load_checkpoint(started.pretrained / "model.ckpt").model
    for frozen in (True, False):
        finetune(finetune_settings.model_copy(update={"freeze_bn_stats": frozen}), 7, started, no_progress)
        trained = load_checkpoint(started.checkpoints / "last.ckpt").model
        unchanged = [torch.equal(start[key], tensor) for key, tensor in trained.items() if "running" in key]
        assert unchanged
        assert set(unchanged) == {frozen}


def test_half_precision_trains_similarly(started: Workspace, finetune_settings: FinetuneSettings) -> None:
    losses = []
    for settings in (finetune_settings, finetune_settings.model_copy(update={"precision": "bf16-mixed"})):
        finetune(settings, 7, started, no_progress)
        losses.append([row["train_loss"] for row in load_checkpoint(started.checkpoints / "last.ckpt").history[1:]])
    assert losses[1] == pytest.approx(losses[0], rel=0.05)
    assert losses[1] != losses[0]


def test_compile_setting_compiles_the_network(
    started: Workspace, finetune_settings: FinetuneSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Uses a stand-in for the compiler, which takes minutes on a CPU."""
    compiled = []
    monkeypatch.setattr(torch, "compile", lambda network: compiled.append(network) or network)
    for enabled in (False, True):
        finetune(finetune_settings.model_copy(update={"compile": enabled, "epochs": 0}), 7, started, no_progress)
        assert len(compiled) == enabled


def test_zero_epochs_keep_the_starting_point(started: Workspace, finetune_settings: FinetuneSettings) -> None:
    finetune(finetune_settings.model_copy(update={"epochs": 0}), 7, started, no_progress)
    start = load_checkpoint(started.pretrained / "model.ckpt")
    best = load_checkpoint(started.checkpoints / "best.ckpt")
    assert all((best.model[key] == tensor).all() for key, tensor in start.model.items())


def test_training_reduces_the_loss(started: Workspace, finetune_settings: FinetuneSettings) -> None:
    finetune(finetune_settings.model_copy(update={"epochs": 12}), 7, started, no_progress)
    history = load_checkpoint(started.checkpoints / "last.ckpt").history
    first, last = history[1]["train_loss"], history[12]["train_loss"]
    assert first is not None
    assert last is not None
    assert last < 0.85 * first


def test_non_finite_loss_names_the_pairs(
    started: Workspace, finetune_settings: FinetuneSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nan_loss(self: Loss, results: list[Tensor], *_: Any) -> LossValue:
        return LossValue(results[-1].mean() * float("nan"), {"l1": torch.tensor(0.0)})

    monkeypatch.setattr(Loss, "__call__", nan_loss)
    with pytest.raises(TryOnError, match=r"pairs 0000\d\d_0000\d\d, 0000\d\d_0000\d\d: .*finetune\.lr"):
        finetune(finetune_settings, 7, started, no_progress)
    assert not started.checkpoints.exists()


def test_exploding_loss_names_the_pairs_of_its_batch(
    started: Workspace, finetune_settings: FinetuneSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute, batches = Loss.__call__, iter(range(100))

    def exploding(*args: Any) -> LossValue:
        value = compute(*args)
        return LossValue(value.total * (1 if next(batches) < 5 else 1000), value.terms)

    monkeypatch.setattr(Loss, "__call__", exploding)
    with pytest.raises(TryOnError, match="at most 100 x") as raised:
        finetune(finetune_settings, 7, started, no_progress)
    train = PackedDataset.read(started.subset("train"))
    second = split_batches(epoch_order(9, 7, 2), 2)[1]
    assert all(train.text("pair_id", int(row)) in str(raised.value) for row in second)


def test_unsupported_image_size_names_the_key(started: Workspace, finetune_settings: FinetuneSettings) -> None:
    for part in ("train", "val"):
        table = read_table(started.subset(part), PACKED)
        widths = pa.array([18] * table.num_rows, pa.int32())
        table = table.set_column(table.schema.get_field_index("width"), "width", widths)
        write_table(started.subset(part), table, PACKED)
    with pytest.raises(ParameterError, match=r"image\.size.*multiples of 4"):
        finetune(finetune_settings, 7, started, no_progress)
    assert not started.checkpoints.exists()


def test_missing_inputs_name_the_command(
    workspace: Workspace, finetune_settings: FinetuneSettings, tmp_path: Path
) -> None:
    with pytest.raises(WeightsError, match="tryon pretrain"):
        finetune(finetune_settings, 7, workspace, no_progress)
    with pytest.raises(MissingInputError, match="tryon sample"):
        finetune(finetune_settings, 7, Workspace(tmp_path / "empty"), no_progress)
