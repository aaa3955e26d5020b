"""The sample flow."""

from __future__ import annotations

from prefect import flow

import tasks.sample
from tryon.runtime.stage_result import Summary


@flow(name="sample", flow_run_name="sample")
def sample() -> Summary:
    """Choose and pack the pairs."""
    return tasks.sample.sample()
