"""The task of the evaluate stage: score the best checkpoint, write the report."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.run_stage import run_stage_task
from tryon.runtime.stage_result import StageResult


@task(name="evaluate", task_run_name="evaluate", cache_policy=NO_CACHE)
def evaluate() -> StageResult:
    """Run the stage."""
    return run_stage_task("evaluate")
