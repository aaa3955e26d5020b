"""The task of the finetune stage: train on all three categories."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.run_stage import run_stage_task
from tryon.runtime.stage_result import StageResult


@task(name="finetune", task_run_name="finetune", cache_policy=NO_CACHE)
def finetune() -> StageResult:
    """Run the stage."""
    return run_stage_task("finetune")
