"""The finetune stage: train on all three categories, from the weights of `pretrain`."""

from __future__ import annotations

from tryon.config.training import FinetuneSettings
from tryon.daflow import DAFlow
from tryon.runtime.atomic_files import atomic_folder, translate_training_os_errors
from tryon.runtime.code_version import code_version
from tryon.runtime.progress import Progress, no_progress
from tryon.runtime.stage_result import StageResult
from tryon.training.checkpoint import build_network, load_checkpoint, save_checkpoint
from tryon.training.distributed import launch_workers
from tryon.training.loop import train
from tryon.training.run_checkpoints import CheckpointManager
from tryon.training.run_config import RunConfig
from tryon.training.run_outputs import make_run, read_rows, summarize, write_history
from tryon.workspace import Workspace

BEST, LAST = "best.ckpt", "last.ckpt"
"""File names in `data/checkpoints/`."""


def finetune(settings: FinetuneSettings, seed: int, workspace: Workspace, progress: Progress) -> StageResult:
    """Write `data/checkpoints/`: `best.ckpt`, `last.ckpt`, `history.csv` and `grids/`.

    Raises:
        ParameterError: an invalid image size or device.
        MissingInputError: the subset is missing or has no rows.
        WeightsError: the starting point is missing or damaged.
        TryOnError: training diverged, or the disk is full.
        SystemExit: SIGTERM was received; the stage resumes when run again.
    """
    job, network = _make_run(settings, seed, workspace, worker=False)
    with translate_training_os_errors("finetune", workspace.root):
        checkpoints = CheckpointManager(workspace.work_dir("finetune"), job.run_id)
        with launch_workers(job, workspace.root):
            state = train(job, network, checkpoints, progress)
        with atomic_folder(workspace.checkpoints) as folder:
            save_checkpoint(folder / BEST, checkpoints.best(state).inference_copy())
            save_checkpoint(folder / LAST, state.inference_copy())
            write_history(folder, state, checkpoints)
    summary = summarize("finetune", state, settings.epochs, workspace.checkpoints)
    checkpoints.remove()
    return summary


def run_finetune_worker(settings: FinetuneSettings, seed: int, workspace: Workspace) -> None:
    """Train as a worker of the stage, without writing; raises like `finetune`."""
    job, network = _make_run(settings, seed, workspace, worker=True)
    with launch_workers(job, workspace.root):
        train(job, network, None, no_progress)


def _make_run(settings: FinetuneSettings, seed: int, workspace: Workspace, worker: bool) -> tuple[RunConfig, DAFlow]:
    start = workspace.pretrained / "model.ckpt"
    rows = read_rows(workspace)
    network = build_network(load_checkpoint(start, "Run `tryon pretrain` first."), str(start))
    code, weights = code_version(__name__), {"start": start}
    return make_run("finetune", settings, seed, workspace, rows, worker=worker, code=code, weights=weights), network
