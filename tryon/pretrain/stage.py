"""The pretrain stage: train on upper-body rows, or take the weights of a checkpoint."""

from __future__ import annotations

from pathlib import Path

from tryon.categories import Category
from tryon.config.training import PretrainSettings
from tryon.daflow import DAFlow, DAFlowConfig, load_published, read_checkpoint
from tryon.errors import ParameterError, WeightsError
from tryon.pretrain.champions import CHAMPION_PREFIX, resolve_champion
from tryon.pretrain.initialization import new_network
from tryon.pretrained_weights import weight_path
from tryon.runtime.atomic_files import atomic_folder, translate_training_os_errors, write_text
from tryon.runtime.code_version import code_version
from tryon.runtime.progress import Progress, no_progress
from tryon.runtime.stage_result import StageResult
from tryon.training.checkpoint import build_network, from_network, is_checkpoint, load_checkpoint, save_checkpoint
from tryon.training.distributed import launch_workers
from tryon.training.loop import train
from tryon.training.run_checkpoints import CheckpointManager
from tryon.training.run_config import RunConfig
from tryon.training.run_outputs import make_run, read_rows, summarize, write_history
from tryon.training.training_log import history_csv
from tryon.workspace import Workspace

MODEL_FILE = "model.ckpt"
"""File name in `data/pretrained/`."""

TRAIN_UPPER_BODY = "train_upper_body"
"""The value of `pretrain.init_from` that trains."""


def pretrain(settings: PretrainSettings, seed: int, workspace: Workspace, progress: Progress) -> StageResult:
    """Write `data/pretrained/`: `model.ckpt`, `history.csv` and, after training, `grids/`.

    Raises:
        ParameterError: an invalid `init_from`, network option or image size.
        MissingInputError: the subset is missing or has no upper-body rows.
        WeightsError: the checkpoint to start from is missing or damaged.
        TryOnError: training diverged, or the disk is full.
        SystemExit: SIGTERM was received; the stage resumes when run again.
    """
    with translate_training_os_errors("pretrain", workspace.root):
        return _pretrain(settings, seed, workspace, progress)


def _pretrain(settings: PretrainSettings, seed: int, workspace: Workspace, progress: Progress) -> StageResult:
    if settings.init_from == TRAIN_UPPER_BODY:
        return _train_upper_body(settings, seed, workspace, progress)
    if settings.init_from == "scratch":
        return _publish(new_network(settings.network, seed), "initialized weights", workspace)
    path = _initial_weights_file(settings.init_from, workspace)
    network = load_initial_weights(path)
    _check_network(network, settings)
    return _publish(network, f"weights of {path.name}", workspace)


def _initial_weights_file(init_from: str, workspace: Workspace) -> Path:
    if init_from == "published":
        return weight_path(workspace, "daflow")
    if init_from.partition(":")[0] == CHAMPION_PREFIX:
        return resolve_champion(init_from, workspace)
    return workspace.root / init_from


def load_initial_weights(path: Path) -> DAFlow:
    """Load the network of a checkpoint of this project or a published one; raise WeightsError for other files."""
    if not path.is_file():
        raise WeightsError(
            f"{path} not found",
            hint="Set pretrain.init_from to published, train_upper_body, scratch, a champion or a checkpoint.",
        )
    if is_checkpoint(read_checkpoint(path)):
        return build_network(load_checkpoint(path), str(path))
    return load_published(path)


def run_pretrain_worker(settings: PretrainSettings, seed: int, workspace: Workspace) -> None:
    """Train as a worker of the stage, without writing; raises like `pretrain`."""
    if settings.init_from != TRAIN_UPPER_BODY:
        raise ParameterError(
            "pretrain.init_from needs no workers",
            found=settings.init_from,
            expected=TRAIN_UPPER_BODY,
            hint="Run the stage on one machine.",
        )
    job = _make_run(settings, seed, workspace, worker=True)
    with launch_workers(job, workspace.root):
        train(job, new_network(settings.network, seed), None, no_progress)


def _train_upper_body(settings: PretrainSettings, seed: int, workspace: Workspace, progress: Progress) -> StageResult:
    job = _make_run(settings, seed, workspace, worker=False)
    checkpoints = CheckpointManager(workspace.work_dir("pretrain"), job.run_id)
    with launch_workers(job, workspace.root):
        state = train(job, new_network(settings.network, seed), checkpoints, progress)
    with atomic_folder(workspace.pretrained) as folder:
        save_checkpoint(folder / MODEL_FILE, checkpoints.best(state).inference_copy())
        write_history(folder, state, checkpoints)
    summary = summarize("pretrain", state, settings.epochs, workspace.pretrained)
    checkpoints.remove()
    return summary


def _make_run(settings: PretrainSettings, seed: int, workspace: Workspace, worker: bool) -> RunConfig:
    rows = read_rows(workspace, Category.UPPER_BODY)
    return make_run("pretrain", settings, seed, workspace, rows, worker=worker, code=code_version(__name__))


def _check_network(network: DAFlow, settings: PretrainSettings) -> None:
    """Raise ParameterError if the settings differ from the options of the checkpoint's network."""
    options = network.config.to_dict()
    configured = DAFlowConfig.from_dict(settings.network.model_dump()).to_dict()
    differing = {key: value for key, value in configured.items() if options[key] != value}
    if differing:
        raise ParameterError(
            "pretrain.network differs from the checkpoint's network",
            found=differing,
            expected=", ".join(f"{key} = {options[key]}" for key in differing),
            hint="Change it in params.yaml.",
        )


def _publish(network: DAFlow, source: str, workspace: Workspace) -> StageResult:
    with atomic_folder(workspace.pretrained) as folder:
        save_checkpoint(folder / MODEL_FILE, from_network(network))
        write_text(folder / "history.csv", history_csv(()))
    return StageResult("pretrain", f"starting point: {source}, {network.parameter_count:,} parameters, nothing trained")
