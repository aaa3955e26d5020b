"""Run a stage inside a task: load the settings, call the library, publish the result."""

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
    """Run a stage of the project in the current directory and publish its result."""
    workspace = Workspace()
    parameters = load_parameters(workspace.params_file)
    accelerator = getattr(getattr(parameters, stage), "accelerator", "cpu")
    name = f"{stage}@{category}" if category else stage
    with gpu_slot(stage, accelerator), progress_artifact(name) as progress:
        result = run_stage(stage, parameters, workspace, category, progress)
    publish(result, parameters.download.source)
    return result


def is_retryable(task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> bool:
    """Return whether to retry a task: after an OS error or a lost process, but not after a user error or a bug."""
    del task, task_run
    return isinstance(state.result(raise_on_failure=False), OSError | BrokenExecutor)
