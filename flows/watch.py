"""The watch flow: on a schedule, it looks at the source and starts the pipeline when new data have come to rest."""

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
    """Look at the data source; if it has changed and come to rest, start one run of the pipeline.

    Args:
        stable_checks: looks in a row at which the source must be the same before a run is started.
        min_interval_seconds: seconds; looks nearer to each other are one. A server that was away starts all that it missed at once.

    Returns:
        What was found and done.
    """
    exit_with_runner()
    said = check_source(Workspace(), start_pipeline, stable_checks, min_interval_seconds)
    log_line(said)
    return said


def start_pipeline(key: str) -> None:
    """Have a served deployment run the pipeline, once for each key.

    Raises:
        TryOnError: the pipeline is not served.
    """
    try:
        run_deployment(DEPLOYMENT, timeout=0, as_subflow=False, idempotency_key=key)
    except ObjectNotFound as error:
        raise TryOnError(f"deployment {DEPLOYMENT}", expected="is served", hint="Start `make serve`.") from error
