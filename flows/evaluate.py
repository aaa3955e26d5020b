"""The evaluate flow."""

from __future__ import annotations

from prefect import flow

import tasks.evaluate
from tryon.runtime.stage_result import Summary


@flow(name="evaluate", flow_run_name="evaluate")
def evaluate() -> Summary:
    """Score the best checkpoint, write the report."""
    return tasks.evaluate.evaluate()
