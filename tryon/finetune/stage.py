"""The finetune stage: all three categories together, from the starting point that `pretrain` made."""

from __future__ import annotations

from tryon.config.training import FinetuneSettings
from tryon.daflow import DAFlow
from tryon.loading.packed_dataset import PackedRows
from tryon.runtime.atomic_files import replacing_folder, told_when_full
from tryon.runtime.code_version import code_version
from tryon.runtime.progress import Progress, silent
from tryon.runtime.stage_result import Summary
from tryon.training.checkpoint import build_network, load_checkpoint, save_checkpoint
from tryon.training.distributed import company, find_place
from tryon.training.loop import train
from tryon.training.loss_networks import load_perceptual
from tryon.training.run_checkpoints import RunStates
from tryon.training.run_config import Job
from tryon.training.run_outputs import run_digest, summarise, write_course
from tryon.workspace import Workspace

BEST, LAST = "best.ckpt", "last.ckpt"
"""Names of the checkpoints in `data/checkpoints/`."""


def finetune(settings: FinetuneSettings, seed: int, workspace: Workspace, progress: Progress) -> Summary:
    """Make `data/checkpoints/`: `best.ckpt`, `last.ckpt`, `history.csv` and `grids/`.

    Raises:
        ParameterError: the image size does not fit the network, or the device does not exist.
        MissingInputError: the subset is absent or has no rows.
        WeightsError: the starting point is absent or damaged.
        TryOnError: training goes astray, or the disk is full.
        SystemExit: SIGTERM came; the run goes on when the stage is started again.
    """
    job, network = _job(settings, seed, workspace, worker=False)
    with told_when_full("finetune", workspace.root):
        states = RunStates(workspace.staging("finetune"), job.run)
        with company(job, workspace.root):
            state = train(job, network, states, progress)
        with replacing_folder(workspace.checkpoints) as folder:
            save_checkpoint(folder / BEST, states.best(state).for_use())
            save_checkpoint(folder / LAST, state.for_use())
            write_course(folder, state, states)
    summary = summarise("finetune", state, settings.epochs, workspace.checkpoints)
    states.remove()
    return summary


def join_finetune(settings: FinetuneSettings, seed: int, workspace: Workspace) -> None:
    """Train along with the stage as one of its workers, writing nothing.

    Raises:
        TryOnError: as `finetune`; or settings, inputs or code are not the stage's.
    """
    job, network = _job(settings, seed, workspace, worker=True)
    with company(job, workspace.root):
        train(job, network, None, silent)


def _job(settings: FinetuneSettings, seed: int, workspace: Workspace, worker: bool) -> tuple[Job, DAFlow]:
    start = workspace.pretrained / "model.ckpt"
    files = {"train": workspace.subset("train"), "val": workspace.subset("val"), "start": start}
    rows = {part: PackedRows.read(files[part]) for part in ("train", "val")}
    network = build_network(load_checkpoint(start, "Run `tryon pretrain` first."), str(start))
    place = find_place("finetune", settings, worker)
    digest = run_digest(settings, seed, files)
    perceptual = load_perceptual(settings.loss, workspace)
    code = code_version(__name__)
    return Job("finetune", settings, seed, digest, code, rows["train"], rows["val"], place, perceptual), network
