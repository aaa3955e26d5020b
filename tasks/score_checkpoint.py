"""The task of score-checkpoint: the evaluate stage's work on any checkpoint, into a folder of its own."""

from __future__ import annotations

import re
from dataclasses import replace

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.artifacts import progress_artifact, publish
from tasks.gpu_limit import gpu_slot
from tryon.config.parameters import load_parameters
from tryon.errors import ParameterError, WeightsError
from tryon.runtime.atomic_files import sha256_file
from tryon.workspace import Workspace

_OTHER = "Name a checkpoint, relative to the project: data/checkpoints/best.ckpt is one."


@task(name="score-checkpoint", task_run_name="score-checkpoint", cache_policy=NO_CACHE)
def score(checkpoint: str, name: str = "") -> str:
    """Score a checkpoint file of the project in the current directory; its headline goes to the run's page.

    Args:
        checkpoint: path of the file, relative to the project or absolute.
        name: of the folder in `data/scores`; empty for the first 16 digits of the file's SHA-256.

    Returns:
        The folder that was written.

    Raises:
        WeightsError: the file is absent or no checkpoint of ours.
        ParameterError: the name is no plain folder name.
        TryOnError: whatever the evaluation finds wrong.
    """
    from tryon.evaluate.stage import evaluate

    workspace = Workspace()
    path = workspace.root / checkpoint
    if not path.is_file():
        raise WeightsError(checkpoint, expected="is a checkpoint file", hint=_OTHER)
    if not re.fullmatch(r"[\w.-]*", name) or name.startswith("."):
        raise ParameterError(
            "name", expected="holds letters, digits, dots, dashes, and no dot at its start", found=name
        )
    parameters = load_parameters(workspace.params_file)
    with progress_artifact("score-checkpoint") as progress, gpu_slot("evaluate", parameters.evaluate.accelerator):
        out = workspace.data / "scores" / (name or sha256_file(path, progress)[:16])
        try:
            summary = evaluate(parameters.evaluate, parameters.seed, workspace, progress, path, out)
        except WeightsError as error:
            if str(path) not in error.problem:
                raise
            raise WeightsError(checkpoint, expected=error.expected, found=error.found, hint=_OTHER) from None
    publish(replace(summary, stage="score-checkpoint"), parameters.download.source)
    return str(out)
