"""What every stage's task does: read the settings, call the library, show the result."""

from __future__ import annotations

from concurrent.futures import BrokenExecutor
from typing import Any

from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task

from tasks.artifacts import progress_artifact, publish
from tasks.gpu_limit import gpu_slot
from tryon.categories import Category
from tryon.config.parameters import load_parameters
from tryon.pipeline.stages import run_stage
from tryon.runtime.stage_result import StageResult
from tryon.workspace import Workspace


def run_stage_task(stage: str, category: Category | None = None) -> StageResult:
    """Run a stage of the project in the current directory and publish what it returns.

    Raises:
        TryOnError: whatever the stage finds wrong.
    """
    workspace = Workspace()
    parameters = load_parameters(workspace.params_file)
    accelerator = getattr(getattr(parameters, stage), "accelerator", "cpu")
    name = f"{stage}@{category}" if category else stage
    with gpu_slot(stage, accelerator), progress_artifact(name) as progress:
        summary = run_stage(stage, parameters, workspace, category, progress)
    publish(summary, parameters.download.source)
    return summary


def is_retryable(task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> bool:
    """Is it worth trying again? A busy disk and lost processes are; a mistake of the user's or a bug stays one."""
    del task, task_run
    return isinstance(state.result(raise_on_failure=False), OSError | BrokenExecutor)
