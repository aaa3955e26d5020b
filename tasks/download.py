"""The task of the download stage: fetch, unpack and check the data set."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.reported import may_pass, run_reported
from tryon.summary import Summary


@task(
    name="download",
    task_run_name="download",
    retries=2,
    retry_delay_seconds=[5, 30],
    retry_condition_fn=may_pass,
    cache_policy=NO_CACHE,
)
def download() -> Summary:
    """Run the stage; a network that failed is tried again."""
    return run_reported("download")
