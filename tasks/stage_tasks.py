"""Tasks of the stages that consist of one task; those of agnostic are in `tasks.agnostic`."""

from __future__ import annotations

from concurrent.futures import BrokenExecutor
from functools import partial
from typing import Any

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun

from tasks.artifacts import progress_artifact, publish
from tasks.gpu_limit import gpu_slot
from tryon.config.parameters import load_parameters
from tryon.pipeline.stages import run_stage
from tryon.runtime.stage_result import StageResult
from tryon.workspace import Workspace

_stage_task = partial(task, cache_policy=NO_CACHE)


@_stage_task(name="download", task_run_name="download")
def download() -> StageResult:
    """Fetch, unpack and validate the data set."""
    return _run_stage("download")


@_stage_task(name="sample", task_run_name="sample")
def sample() -> StageResult:
    """Select and pack the pairs for training, validation and test."""
    return _run_stage("sample")


@_stage_task(name="pretrain", task_run_name="pretrain")
def pretrain() -> StageResult:
    """Import or train the upper-body initial weights."""
    return _run_stage("pretrain")


@_stage_task(name="finetune", task_run_name="finetune")
def finetune() -> StageResult:
    """Train on all three categories together."""
    return _run_stage("finetune")


@_stage_task(name="evaluate", task_run_name="evaluate")
def evaluate() -> StageResult:
    """Score the best checkpoint and write the report."""
    return _run_stage("evaluate")


def _run_stage(stage: str) -> StageResult:
    """Run a stage of the project in the current directory and publish its result."""
    workspace = Workspace()
    parameters = load_parameters(workspace.params_file)
    accelerator = getattr(getattr(parameters, stage), "accelerator", "cpu")
    with gpu_slot(stage, accelerator), progress_artifact(stage) as progress:
        result = run_stage(stage, parameters, workspace, None, progress)
    publish(result, parameters.download.source)
    return result


def is_retryable(task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> bool:
    """Return whether to retry a task: after an OS error or a lost process, but not after a user error or a bug."""
    del task, task_run
    return isinstance(state.result(raise_on_failure=False), OSError | BrokenExecutor)
