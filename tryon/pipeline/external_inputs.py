"""Record inputs from outside the project in two files under git, so that DVC detects their changes.

`data/source.json` holds the fingerprint of the data source. `data/weights.json` holds the SHA-256 of the weights that
`pretrain` starts from and of those that metrics need, the latter together with the files of `evaluate.baseline_run`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tryon.config.parameters import Parameters, load_parameters
from tryon.errors import MissingInputError
from tryon.pretrained_weights import WEIGHTS
from tryon.runtime.atomic_files import sha256_file, write_json
from tryon.runtime.progress import Progress, no_progress
from tryon.workspace import Workspace

TRAINED_STARTS = ("train_upper_body", "scratch")  # values of `pretrain.init_from` that read no weights
PUBLISHED = "daflow"  # name of the weights of `pretrain.init_from: published`
LOSS_ONLY_WEIGHTS = ("vgg19",)
"""Weights that only losses need. They are not recorded: training fails without them, and their published hash allows
only one content. Metrics whose weights are missing are left out instead, so these change the result."""

BASELINE_FILES = ("evaluation/metrics.json", "evaluation/scores.parquet", "checkpoints/history.csv")
"""Files that evaluate reads from `evaluate.baseline_run`, which may be outside the project, where DVC sees nothing."""

FileRecord = list[Any]  # size, modification time and inode of a file, which change with its content, and its SHA-256
WEIGHT_INPUTS = {"pretrain": "start", "evaluate": "metrics"}
"""Stages that read weights, with their key in `data/weights.json`."""


def refresh_inputs(
    workspace: Workspace, parameters: Parameters | None = None, progress: Progress = no_progress, write: bool = True
) -> dict[str, str]:
    """Update both records, or only compare them.

    Args:
        workspace: the project.
        parameters: settings that name source and weights; by default those of `params.yaml`.
        progress: receives files and MiB hashed.
        write: whether to write the records.

    Returns:
        What changed, by stage that reads it.

    Raises:
        ParameterError: `params.yaml` is invalid.
        SourceError: the source cannot be read.
    """
    from tryon.download.fingerprint import write_fingerprint

    parameters = parameters or load_parameters(workspace.params_file)
    source_changed = write_fingerprint(workspace, parameters.download, progress, write)
    changed = {"download": "data source changed"} if source_changed else {}
    return changed | refresh_weights(workspace, parameters, progress, write)


def refresh_weights(
    workspace: Workspace, parameters: Parameters, progress: Progress = no_progress, write: bool = True
) -> dict[str, str]:
    """Update or compare `data/weights.json` only; see `refresh_inputs`."""
    state = weights_state(workspace, parameters, progress)
    record = _read_record(workspace.weights_file)
    if record != state and write:
        write_json(workspace.weights_file, state)
    return {
        stage: f"weights changed: {key}" for stage, key in WEIGHT_INPUTS.items() if record.get(key, ...) != state[key]
    }


def check_weights_recorded(workspace: Workspace, parameters: Parameters, stage: str) -> None:
    """Raise a MissingInputError if `data/weights.json` does not match the weights that a stage reads."""
    if stage in refresh_weights(workspace, parameters, write=False):
        raise MissingInputError(
            f"{workspace.weights_file} does not match the weights that {stage} reads",
            hint="Run `tryon refresh-inputs`, then run the stage again.",
        )


def weights_state(workspace: Workspace, parameters: Parameters, progress: Progress = no_progress) -> dict[str, Any]:
    """Return the SHA-256 of the initial weights and of each metric's weights, None for missing files.

    The hash of a champion is part of `pretrain.init_from` and is not recorded again.
    """
    init_from = parameters.pretrain.init_from
    folder = workspace.with_weights(parameters.evaluate.metric_weights_dir).weights
    metric_weights = [weight for name, weight in WEIGHTS.items() if name not in (PUBLISHED, *LOSS_ONLY_WEIGHTS)]
    files = {weight.name: folder / weight.file for weight in metric_weights}
    if parameters.evaluate.baseline_run is not None:
        files |= {
            f"baseline {name}": workspace.root / parameters.evaluate.baseline_run / name for name in BASELINE_FILES
        }
    if init_from not in TRAINED_STARTS:
        published = workspace.weights / WEIGHTS[PUBLISHED].file
        files["start"] = published if init_from == "published" else workspace.root / init_from
    hashes = _hashes(files, workspace.work_dir("hashes.json"), progress)
    return {"start": hashes.pop("start", None), "metrics": hashes}


def hash_if_changed(path: Path, record: FileRecord, progress: Progress = no_progress) -> FileRecord:
    """Return the current record of a file, hashing it only if its size, time or inode differ from `record`."""
    stat = path.stat()
    state = [stat.st_size, stat.st_mtime_ns, stat.st_ino]
    return record if record[:3] == state else [*state, sha256_file(path, progress)]


def _hashes(files: dict[str, Path], cache_file: Path, progress: Progress) -> dict[str, str | None]:
    """Return the SHA-256 of each file, None for missing ones; records of earlier calls are cached."""
    before = _read_record(cache_file)
    cache = dict(before)
    hashes: dict[str, str | None] = dict.fromkeys(files)
    for name, path in files.items():
        if path.is_file():
            key = str(path.resolve())
            cache[key] = hash_if_changed(path, cache.get(key, []), progress)
            hashes[name] = cache[key][-1]
    if cache != before:
        write_json(cache_file, cache)
    return hashes


def _read_record(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
