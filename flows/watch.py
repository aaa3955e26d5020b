"""The watch flow: on a schedule, it looks at the source and starts the pipeline when new data have come to rest."""

from __future__ import annotations

from prefect import flow
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound

from tasks.source_watch import tick
from tasks.subprocesses import follow_runner
from tryon.console import say
from tryon.errors import TryOnError
from tryon.workspace import Workspace

DEPLOYMENT = "pipeline/pipeline"


@flow(name="watch", flow_run_name="watch")
def watch(quiet_ticks: int = 2, apart: float = 20.0) -> str:
    """Look at the data source; if it has changed and come to rest, start one run of the pipeline.

    Args:
        quiet_ticks: looks in a row at which the source must be the same before a run is started.
        apart: seconds; looks nearer to each other are one. A server that was away starts all that it missed at once.

    Returns:
        What was found and done.
    """
    follow_runner()
    said = tick(Workspace(), start_pipeline, quiet_ticks, apart)
    say(said)
    return said


def start_pipeline(key: str) -> None:
    """Have a served deployment run the pipeline, once for each key.

    Raises:
        TryOnError: the pipeline is not served.
    """
    try:
        run_deployment(DEPLOYMENT, timeout=0, as_subflow=False, idempotency_key=key)
    except ObjectNotFound as error:
        raise TryOnError(f"deployment {DEPLOYMENT}", rule="is served", remedy="Start `make serve`.") from error
