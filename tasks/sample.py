"""The task of the sample stage: choose and pack the pairs."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.run_stage import run_stage_task
from tryon.runtime.stage_result import StageResult


@task(name="sample", task_run_name="sample", cache_policy=NO_CACHE)
def sample() -> StageResult:
    """Run the stage."""
    return run_stage_task("sample")
