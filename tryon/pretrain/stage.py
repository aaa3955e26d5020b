"""The pretrain stage: a starting point for fine-tuning, trained on upper-body rows or taken from a checkpoint."""

from __future__ import annotations

from pathlib import Path

from tryon.categories import Category
from tryon.config.training import PretrainSettings
from tryon.daflow import DAFlow, DAFlowConfig, load_published, read_checkpoint
from tryon.errors import ParameterError, WeightsError
from tryon.loading.packed_dataset import PackedDataset
from tryon.pretrain.champions import CHAMPION_PREFIX, resolve_champion
from tryon.pretrain.initialization import new_network
from tryon.pretrained_weights import weight_path
from tryon.runtime.atomic_files import atomic_folder, translate_training_os_errors, write_text
from tryon.runtime.code_version import code_version
from tryon.runtime.progress import Progress, no_progress
from tryon.runtime.stage_result import StageResult
from tryon.training.checkpoint import (
    build_network,
    from_network,
    is_checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from tryon.training.distributed import launch_workers, resolve_rank
from tryon.training.loop import train
from tryon.training.loss_networks import load_perceptual
from tryon.training.run_checkpoints import CheckpointManager
from tryon.training.run_config import RunConfig
from tryon.training.run_outputs import run_hash, summarize, write_history
from tryon.training.training_log import history_csv
from tryon.workspace import Workspace

MODEL_FILE = "model.ckpt"
"""Name of the starting point in `data/pretrained/`."""

TRAIN_UPPER_BODY = "train_upper_body"
"""The `pretrain.init_from` under which something is trained."""


def pretrain(settings: PretrainSettings, seed: int, workspace: Workspace, progress: Progress) -> StageResult:
    """Make `data/pretrained/`: `model.ckpt`, `history.csv` and, where something was trained, `grids/`.

    Raises:
        ParameterError: the start, the network or the image size does not fit.
        MissingInputError: the subset is absent or has no upper-body rows.
        WeightsError: the checkpoint to start from is absent or damaged.
        TryOnError: training goes astray, or the disk is full.
        SystemExit: SIGTERM came; the run goes on when the stage is started again.
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


def _initial_weights_file(start: str, workspace: Workspace) -> Path:
    if start == "published":
        return weight_path(workspace, "daflow")
    return resolve_champion(start, workspace) if start.partition(":")[0] == CHAMPION_PREFIX else workspace.root / start


def load_initial_weights(path: Path) -> DAFlow:
    """The network of a checkpoint of ours or of a published one.

    Raises:
        NetworkOptionError: a checkpoint of ours holds options of no network.
        WeightsError: the file is missing or damaged, or is neither.
    """
    if not path.is_file():
        remedy = "pretrain.init_from is published, train_upper_body, scratch, a champion or the path of a checkpoint."
        raise WeightsError(str(path), expected="exists", hint=remedy)
    ours = is_checkpoint(read_checkpoint(path))
    return build_network(load_checkpoint(path), str(path)) if ours else load_published(path)


def run_pretrain_worker(settings: PretrainSettings, seed: int, workspace: Workspace) -> None:
    """Train along with the stage as one of its workers, writing nothing.

    Raises:
        ParameterError: nothing is trained.
        TryOnError: as `pretrain`; or settings, inputs or code are not the stage's.
    """
    if settings.init_from != TRAIN_UPPER_BODY:
        remedy = "There is nothing to join; run the stage on one machine."
        raise ParameterError("pretrain.init_from", expected=f"is {TRAIN_UPPER_BODY}", found=settings.init_from, hint=remedy)
    job = _run_config(settings, seed, workspace, worker=True)
    with launch_workers(job, workspace.root):
        train(job, new_network(settings.network, seed), None, no_progress)


def _train_upper_body(settings: PretrainSettings, seed: int, workspace: Workspace, progress: Progress) -> StageResult:
    job = _run_config(settings, seed, workspace, worker=False)
    states = CheckpointManager(workspace.work_dir("pretrain"), job.run_id)
    with launch_workers(job, workspace.root):
        state = train(job, new_network(settings.network, seed), states, progress)
    with atomic_folder(workspace.pretrained) as folder:
        save_checkpoint(folder / MODEL_FILE, states.best(state).inference_copy())
        write_history(folder, state, states)
    summary = summarize("pretrain", state, settings.epochs, workspace.pretrained)
    states.remove()
    return summary


def _run_config(settings: PretrainSettings, seed: int, workspace: Workspace, worker: bool) -> RunConfig:
    files = {part: workspace.subset(part) for part in ("train", "val")}
    rows = {part: PackedDataset.read(path).indices_of(Category.UPPER_BODY) for part, path in files.items()}
    place = resolve_rank("pretrain", settings, worker)
    digest = run_hash(settings, seed, files)
    perceptual = load_perceptual(settings.loss, workspace)
    code = code_version(__name__)
    return RunConfig("pretrain", settings, seed, digest, code, rows["train"], rows["val"], place, perceptual)


def _check_network(network: DAFlow, settings: PretrainSettings) -> None:
    """A start from a checkpoint takes the checkpoint's network; `params.yaml` must not say otherwise.

    Raises:
        ParameterError: it does.
    """
    wanted, found = DAFlowConfig.from_dict(settings.network.model_dump()).to_dict(), network.config.to_dict()
    differing = {key: value for key, value in wanted.items() if found[key] != value}
    if differing:
        rule = "is that of the checkpoint, " + ", ".join(f"{key} = {found[key]}" for key in differing)
        raise ParameterError("pretrain.network", expected=rule, found=differing, hint="Change it in params.yaml.")


def _publish(network: DAFlow, what: str, workspace: Workspace) -> StageResult:
    with atomic_folder(workspace.pretrained) as folder:
        save_checkpoint(folder / MODEL_FILE, from_network(network))
        write_text(folder / "history.csv", history_csv(()))
    return StageResult("pretrain", f"starting point: {what}, {network.parameter_count:,} parameters, nothing trained")
