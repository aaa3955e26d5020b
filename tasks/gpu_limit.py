"""One piece of work on the GPU at a time, whichever runs and checkouts share a Prefect server.

The limit lies on the server. A missing one would let everybody through, so it is made where it is absent; one that
somebody has raised, for a machine with several GPUs, is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prefect import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.concurrency.sync import concurrency
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.logging import get_run_logger

LIMIT = "gpu"


@contextmanager
def gpu_slot(stage: str, accelerator: str) -> Iterator[None]:
    """Around a stage's work: hold the GPU, waiting for it, if the stage is to run on one. Inside a run.

    Args:
        stage: named in messages.
        accelerator: its setting.

    Raises:
        ParameterError: a GPU is asked for and there is none.
    """
    if not _wants_gpu(stage, accelerator):
        yield
        return
    ensure_limit()
    get_run_logger().info("%s waits for the GPU", stage)
    # Days of training must not end because a server was restarted as the slot was renewed: then it is only told.
    with concurrency(LIMIT, occupy=1, strict=True, raise_on_lease_renewal_failure=False):
        get_run_logger().info("%s has the GPU", stage)
        yield


def ensure_limit() -> None:
    """Make the limit, one at a time, where the server has none."""
    with get_client(sync_client=True) as client:
        try:
            client.read_global_concurrency_limit_by_name(LIMIT)
        except ObjectNotFound:
            _create(client)


def _create(client: object) -> None:
    try:
        client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=LIMIT, limit=1))  # pyright: ignore[reportAttributeAccessIssue]
    except ObjectAlreadyExists:  # somebody else was faster
        return


def _wants_gpu(stage: str, accelerator: str) -> bool:
    if accelerator == "cpu":  # without loading torch
        return False
    from tryon.training.device import choose_accelerator

    return choose_accelerator(stage, accelerator) == "cuda"
