"""The task of the finetune stage: train on all three categories."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.run_stage import run_reported
from tryon.runtime.stage_result import Summary


@task(name="finetune", task_run_name="finetune", cache_policy=NO_CACHE)
def finetune() -> Summary:
    """Run the stage."""
    return run_reported("finetune")
