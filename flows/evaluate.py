"""The evaluate flow."""

from __future__ import annotations

from prefect import flow

import tasks.evaluate
from tryon.runtime.stage_result import StageResult


@flow(name="evaluate", flow_run_name="evaluate")
def evaluate() -> StageResult:
    """Score the best checkpoint, write the report."""
    return tasks.evaluate.evaluate()
