"""The task of score-checkpoint: evaluate any checkpoint into a folder of its own."""

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

_HINT = "Name a checkpoint relative to the project, for example data/checkpoints/best.ckpt."


@task(name="score-checkpoint", task_run_name="score-checkpoint", cache_policy=NO_CACHE)
def score(checkpoint: str, name: str = "") -> str:
    """Evaluate a checkpoint file of the project in the current directory and publish the result.

    Args:
        checkpoint: path of the file, relative to the project or absolute.
        name: folder below `data/scores`; by default the first 16 digits of the file's SHA-256.

    Returns:
        The output folder.

    Raises:
        WeightsError: the file is missing or not a checkpoint of this project.
        ParameterError: the name is not a plain folder name.
        TryOnError: the evaluation failed.
    """
    from tryon.evaluate.stage import evaluate

    workspace = Workspace()
    path = workspace.root / checkpoint
    if not path.is_file():
        raise WeightsError(f"checkpoint {checkpoint} not found", hint=_HINT)
    if not re.fullmatch(r"[\w.-]*", name) or name.startswith("."):
        raise ParameterError(
            "name is not a plain folder name",
            found=name,
            expected="letters, digits, dots and dashes, not starting with a dot",
        )
    parameters = load_parameters(workspace.params_file)
    with progress_artifact("score-checkpoint") as progress, gpu_slot("evaluate", parameters.evaluate.accelerator):
        out = workspace.data / "scores" / (name or sha256_file(path, progress)[:16])
        try:
            result = evaluate(parameters.evaluate, parameters.seed, workspace, progress, path, out)
        except WeightsError as error:
            if str(path) not in error.problem:
                raise
            raise WeightsError(error.problem, expected=error.expected, found=error.found, hint=_HINT) from None
    publish(replace(result, stage="score-checkpoint"), parameters.download.source)
    return str(out)
