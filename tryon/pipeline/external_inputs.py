"""What comes from outside, noted in two files under git so that DVC sees when it changes.

`data/source.json` describes the data source. `data/weights.json` holds the SHA-256 of the pretrained weights: of the
file that `pretrain` starts from, and of those that metrics need; with these also of the run that `evaluate.baseline_run`
names.
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

TRAINED_STARTS = ("train_upper_body", "scratch")
"""Values of `pretrain.init_from` that read no file of weights."""

PUBLISHED = "daflow"
"""Name of the weights that `pretrain.init_from: published` means."""

LOSS_ONLY_WEIGHTS = ("vgg19",)
"""Weights that no metric needs. They are not noted: without them training stops, and there is but one content with
their published hash, so they change no result. All others are for metrics, which are left out where weights are
absent."""

BASELINE_FILES = ("evaluation/metrics.json", "evaluation/scores.parquet", "checkpoints/history.csv")
"""Files that the evaluate stage reads of the run that `evaluate.baseline_run` names. They are noted with the weights of
metrics, as DVC sees no file outside the project."""

FileRecord = list[Any]
"""Of a file: size, time of change and inode, which stay as long as its content does, and its SHA-256."""

WEIGHT_INPUTS = {"pretrain": "start", "evaluate": "metrics"}
"""Stages that read weights, each with the key of `data/weights.json` that is its input."""


def refresh_inputs(
    workspace: Workspace, parameters: Parameters | None = None, progress: Progress = no_progress, write: bool = True
) -> dict[str, str]:
    """Bring both files up to date, or only compare.

    Args:
        workspace: the project.
        parameters: name the source and the starting point; by default the active ones.
        progress: told what is looked at.
        write: False leaves both files as they are.

    Returns:
        Stages that read what has changed since it was noted, each with what changed.

    Raises:
        ParameterError: `params.yaml` breaks a rule.
        SourceError: the source cannot be looked at.
    """
    from tryon.download.fingerprint import write_fingerprint

    parameters = parameters or load_parameters(workspace.params_file)
    changed = write_fingerprint(workspace, parameters.download, progress, write)
    return ({"download": "the data source changed"} if changed else {}) | refresh_weights(
        workspace, parameters, progress, write
    )


def refresh_weights(
    workspace: Workspace, parameters: Parameters, progress: Progress = no_progress, write: bool = True
) -> dict[str, str]:
    """`refresh_inputs` for `data/weights.json` alone."""
    state = weights_state(workspace, parameters, progress)
    noted = _read_record(workspace.weights_file)
    if noted != state and write:
        write_json(workspace.weights_file, state)
    return {
        stage: f"weights ({key}) changed" for stage, key in WEIGHT_INPUTS.items() if noted.get(key, ...) != state[key]
    }


def check_weights_recorded(workspace: Workspace, parameters: Parameters, stage: str) -> None:
    """Make sure that `data/weights.json` describes the weights that a stage reads as they are now.

    Raises:
        MissingInputError: it is absent, or they have changed since.
    """
    if stage in refresh_weights(workspace, parameters, write=False):
        rule = f"describes the weights that {stage} reads as they are now"
        raise MissingInputError(
            str(workspace.weights_file), expected=rule, hint="Run `tryon refresh-inputs`, then again."
        )


def weights_state(workspace: Workspace, parameters: Parameters, progress: Progress = no_progress) -> dict[str, Any]:
    """SHA-256 of the starting point and of each metric's weights, None where there is no file.

    A champion's is in its name, in `params.yaml`, and is not noted once more.
    """
    start = parameters.pretrain.init_from
    for_metrics = [weight for name, weight in WEIGHTS.items() if name not in (PUBLISHED, *LOSS_ONLY_WEIGHTS)]
    place = workspace.with_weights(parameters.evaluate.metric_weights_dir).weights
    files = {weight.name: place / weight.file for weight in for_metrics}
    if parameters.evaluate.baseline_run is not None:
        files |= {f"beside {name}": workspace.root / parameters.evaluate.baseline_run / name for name in BASELINE_FILES}
    if start not in TRAINED_STARTS:
        released = start == "published"
        files["start"] = workspace.weights / WEIGHTS[PUBLISHED].file if released else workspace.root / start
    hashes = _hashes(files, workspace.work_dir("hashes.json"), progress)
    return {"start": hashes.pop("start", None), "metrics": hashes}


def hash_if_changed(path: Path, known: FileRecord, progress: Progress = no_progress) -> FileRecord:
    """A file as it is now. It is read only if it looks otherwise than when `known` was noted; [] if nothing was."""
    facts = path.stat()
    state = [facts.st_size, facts.st_mtime_ns, facts.st_ino]
    return known if known[:3] == state else [*state, sha256_file(path, progress)]


def _hashes(files: dict[str, Path], known_file: Path, progress: Progress) -> dict[str, str | None]:
    """SHA-256 of each file, None where there is none; what is known of them lies in `known_file`."""
    known = _read_record(known_file)
    before = dict(known)
    found: dict[str, str | None] = {}
    for name, path in files.items():
        if not path.is_file():
            found[name] = None
            continue
        key = str(path.resolve())
        known[key] = hash_if_changed(path, known.get(key, []), progress)
        found[name] = known[key][-1]
    if known != before:
        write_json(known_file, known)
    return found


def _read_record(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
