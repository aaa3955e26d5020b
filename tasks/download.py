"""The task of the download stage: fetch, unpack and check the data set."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.run_stage import run_reported
from tryon.runtime.stage_result import Summary


@task(name="download", task_run_name="download", cache_policy=NO_CACHE)
def download() -> Summary:
    """Run the stage."""
    return run_reported("download")
