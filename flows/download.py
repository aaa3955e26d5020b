"""The download flow."""

from __future__ import annotations

from prefect import flow

import tasks.download
from tryon.runtime.stage_result import StageResult


@flow(name="download", flow_run_name="download")
def download() -> StageResult:
    """Fetch, unpack and check the data set."""
    return tasks.download.download()
