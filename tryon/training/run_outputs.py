"""Inputs and outputs of a run, shared by the two training stages."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from tryon.categories import Category
from tryon.config.training import OptimizationSettings
from tryon.loading.packed_dataset import PackedDataset
from tryon.runtime.atomic_files import sha256_file, short_hash, write_text
from tryon.runtime.stage_result import Cell, StageResult
from tryon.training.checkpoint import Checkpoint, HistoryRow
from tryon.training.distributed import resolve_rank
from tryon.training.loss_networks import load_perceptual
from tryon.training.run_checkpoints import CheckpointManager
from tryon.training.run_config import RunConfig
from tryon.training.sample_grids import grid_jpeg, grid_name
from tryon.training.training_log import TERM_COLUMNS, history_csv
from tryon.workspace import Workspace

RESULT_NEUTRAL_SETTINGS = {"checkpoint_every_steps"}
"""Settings without effect on the results: an interrupted run may resume with other values."""


def run_hash(settings: OptimizationSettings, seed: int, inputs: Mapping[str, Path]) -> str:
    """Hash settings, seed and the content of the input files."""
    content = {name: sha256_file(path) for name, path in inputs.items()}
    relevant = settings.model_dump(mode="json", exclude=RESULT_NEUTRAL_SETTINGS)
    return short_hash({"settings": relevant, "seed": seed, "inputs": content})


def read_rows(workspace: Workspace, category: Category | None = None) -> tuple[PackedDataset, PackedDataset]:
    """Open the training and validation rows, of one category if given."""
    train, val = (PackedDataset.read(workspace.subset(part)) for part in ("train", "val"))
    return (train, val) if category is None else (train.select_category(category), val.select_category(category))


def make_run(
    stage: str,
    settings: OptimizationSettings,
    seed: int,
    workspace: Workspace,
    rows: tuple[PackedDataset, PackedDataset],
    *,
    worker: bool,
    code: str,
    weights: Mapping[str, Path] | None = None,
) -> RunConfig:
    """Assemble the run of a stage: rank, run hash and networks of the loss. `weights` are its further input files."""
    context = resolve_rank(stage, settings, worker)
    inputs = {part: workspace.subset(part) for part in ("train", "val")} | dict(weights or {})
    config_hash = run_hash(settings, seed, inputs)
    return RunConfig(
        stage, settings, seed, config_hash, code, *rows, context, load_perceptual(settings.loss, workspace)
    )


def write_history(folder: Path, state: Checkpoint, checkpoints: CheckpointManager) -> None:
    """Write `history.csv` and `grids/` of a finished run to `folder`.

    Only grids of epochs in the history are copied: after a kill the work directory can hold others.
    """
    write_text(folder / "history.csv", history_csv(state.history))
    (folder / "grids").mkdir()
    for row in state.history:
        name = grid_name(int(row["epoch"] or 0))
        for grid in (*checkpoints.grids.glob(f"{name}.png"), *checkpoints.grids.glob(f"{name}_*.png")):
            shutil.copy(grid, folder / "grids" / grid.name)


def summarize(stage: str, state: Checkpoint, epochs: int, folder: Path) -> StageResult:
    """Summarize a run of at most `epochs`: its history without loss terms, and its last grid in `folder`."""
    by_epoch = {row["epoch"]: row for row in state.history}
    best, start = by_epoch[state.best_epoch]["val_l1"], by_epoch[0]["val_l1"]
    headline = (
        f"best epoch {state.best_epoch} of {state.epoch}{', stopped early' if state.epoch < epochs else ''}: "
        f"L1 inside the garment {_format_cell(best)}, at the start {_format_cell(start)}"
    )
    last_grid = folder / "grids" / f"{grid_name(state.epoch)}.png"
    return StageResult(
        stage, headline, tuple(_format_row(row) for row in state.history), {"samples": grid_jpeg(last_grid)}
    )


def _format_row(row: HistoryRow) -> dict[str, Cell]:
    columns = {key: value for key, value in row.items() if key not in TERM_COLUMNS}
    return {key: float(f"{value:.4g}") if isinstance(value, float) else value for key, value in columns.items()}


def _format_cell(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4f}"
