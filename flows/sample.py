"""The sample flow."""

from __future__ import annotations

from prefect import flow

import tasks.sample
from tryon.runtime.stage_result import StageResult


@flow(name="sample", flow_run_name="sample")
def sample() -> StageResult:
    """Choose and pack the pairs."""
    return tasks.sample.sample()
