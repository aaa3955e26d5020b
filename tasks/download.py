"""The task of the download stage: fetch, unpack and check the data set."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.run_stage import run_stage_task
from tryon.runtime.stage_result import StageResult


@task(name="download", task_run_name="download", cache_policy=NO_CACHE)
def download() -> StageResult:
    """Run the stage."""
    return run_stage_task("download")
