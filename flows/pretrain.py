"""The pretrain flow."""

from __future__ import annotations

from prefect import flow

import tasks.pretrain
from tryon.runtime.stage_result import Summary


@flow(name="pretrain", flow_run_name="pretrain")
def pretrain() -> Summary:
    """Import or train the starting point."""
    return tasks.pretrain.pretrain()
