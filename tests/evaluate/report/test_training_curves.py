"""Tests of training curves: empty cells, untrained stages, many epochs."""

from __future__ import annotations

from pathlib import Path

from tryon.categories import Category
from tryon.evaluate.report.training_curves import evenly_spaced, read_training_curves
from tryon.runtime.atomic_files import write_text
from tryon.workspace import Workspace


def test_reads_both_charts_and_a_strip_per_category(workspace: Workspace) -> None:
    curves = read_training_curves("Fine-tuning", workspace.checkpoints)
    assert [chart.title for chart in curves.charts] == ["Training loss", "Validation L1 inside the garment"]
    assert [strip.category for strip in curves.strips] == list(Category)
    assert [caption for caption, _ in curves.strips[0].columns] == [
        "person",
        "garment",
        "epoch 0",
        "epoch 1",
        "epoch 2",
    ]
    assert curves.best_epoch == 2


def test_omits_empty_cells_of_epoch_zero(workspace: Workspace) -> None:
    loss, validation = read_training_curves("Fine-tuning", workspace.checkpoints).charts
    assert loss.legend == (("Epoch mean", 0),)
    assert {name for name, _ in validation.legend} == {"All categories", "Upper body", "Lower body", "Dresses"}


def test_single_category_stage_has_one_curve(workspace: Workspace) -> None:
    curves = read_training_curves("Pretraining", workspace.pretrained)
    assert curves.charts[-1].legend == (("Upper body", 0),)


def test_untrained_stage_is_empty(tmp_path: Path) -> None:
    write_text(tmp_path / "history.csv", "epoch,step,lr,train_loss,val_l1\n")
    for folder in (tmp_path, tmp_path / "absent"):
        curves = read_training_curves("Pretraining", folder)
        assert (curves.charts, curves.strips, curves.best_epoch) == ([], [], None)


def test_thins_epochs_and_includes_both_ends() -> None:
    epochs = evenly_spaced(list(range(31)))
    assert len(epochs) == 8
    assert (epochs[0], epochs[-1]) == (0, 30)
    assert epochs == sorted(set(epochs))
    assert evenly_spaced([0, 1, 2]) == [0, 1, 2]
