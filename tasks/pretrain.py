"""The task of the pretrain stage: import or train the starting point."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.run_stage import run_stage_task
from tryon.runtime.stage_result import StageResult


@task(name="pretrain", task_run_name="pretrain", cache_policy=NO_CACHE)
def pretrain() -> StageResult:
    """Run the stage."""
    return run_stage_task("pretrain")
