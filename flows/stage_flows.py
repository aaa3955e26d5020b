"""Flows of the stages that consist of one task; that of agnostic is in `flows.agnostic`."""

from __future__ import annotations

from prefect import flow

from tasks import stage_tasks
from tryon.runtime.stage_result import StageResult


@flow(name="download", flow_run_name="download")
def download() -> StageResult:
    """Fetch, unpack and validate the data set."""
    return stage_tasks.download()


@flow(name="sample", flow_run_name="sample")
def sample() -> StageResult:
    """Select and pack the pairs for training, validation and test."""
    return stage_tasks.sample()


@flow(name="pretrain", flow_run_name="pretrain")
def pretrain() -> StageResult:
    """Import or train the upper-body initial weights."""
    return stage_tasks.pretrain()


@flow(name="finetune", flow_run_name="finetune")
def finetune() -> StageResult:
    """Train on all three categories together."""
    return stage_tasks.finetune()


@flow(name="evaluate", flow_run_name="evaluate")
def evaluate() -> StageResult:
    """Score the best checkpoint and write the report."""
    return stage_tasks.evaluate()
