"""The pretrain flow."""

from __future__ import annotations

from prefect import flow

import tasks.pretrain
from tryon.runtime.stage_result import StageResult


@flow(name="pretrain", flow_run_name="pretrain")
def pretrain() -> StageResult:
    """Import or train the starting point."""
    return tasks.pretrain.pretrain()
