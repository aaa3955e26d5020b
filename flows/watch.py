"""The watch flow: check the data source on a schedule and start the pipeline for new, stable data."""

from __future__ import annotations

from prefect import flow
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound

from tasks.source_watch import check_source
from tasks.subprocesses import exit_with_runner
from tryon.console import log_line
from tryon.errors import TryOnError
from tryon.workspace import Workspace

DEPLOYMENT = "pipeline/pipeline"


@flow(name="watch", flow_run_name="watch")
def watch(stable_checks: int = 2, min_interval_seconds: float = 20.0) -> str:
    """Check the data source; if it has changed and is stable, start one run of the pipeline.

    Args:
        stable_checks: number of consecutive checks with the same fingerprint before a run is started.
        min_interval_seconds: checks less than this apart count as one, as when a server catches up on missed ones.

    Returns:
        The result in one sentence.
    """
    exit_with_runner()
    result = check_source(Workspace(), start_pipeline, stable_checks, min_interval_seconds)
    log_line(result)
    return result


def start_pipeline(key: str) -> None:
    """Start one run of the served pipeline per idempotency key."""
    try:
        run_deployment(DEPLOYMENT, timeout=0, as_subflow=False, idempotency_key=key)
    except ObjectNotFound as error:
        raise TryOnError(f"deployment {DEPLOYMENT} not found", hint="Run `make serve` first.") from error
