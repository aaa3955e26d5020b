"""Tasks of the stages that consist of one task; those of agnostic are in `tasks.agnostic`."""

from __future__ import annotations

from functools import partial

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.run_stage import run_stage_task
from tryon.runtime.stage_result import StageResult

_stage_task = partial(task, cache_policy=NO_CACHE)


@_stage_task(name="download", task_run_name="download")
def download() -> StageResult:
    """Fetch, unpack and validate the data set."""
    return run_stage_task("download")


@_stage_task(name="sample", task_run_name="sample")
def sample() -> StageResult:
    """Select and pack the pairs for training, validation and test."""
    return run_stage_task("sample")


@_stage_task(name="pretrain", task_run_name="pretrain")
def pretrain() -> StageResult:
    """Import or train the upper-body initial weights."""
    return run_stage_task("pretrain")


@_stage_task(name="finetune", task_run_name="finetune")
def finetune() -> StageResult:
    """Train on all three categories together."""
    return run_stage_task("finetune")


@_stage_task(name="evaluate", task_run_name="evaluate")
def evaluate() -> StageResult:
    """Score the best checkpoint and write the report."""
    return run_stage_task("evaluate")
