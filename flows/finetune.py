"""The finetune flow."""

from __future__ import annotations

from prefect import flow

import tasks.finetune
from tryon.runtime.stage_result import StageResult


@flow(name="finetune", flow_run_name="finetune")
def finetune() -> StageResult:
    """Train on all three categories."""
    return tasks.finetune.finetune()
