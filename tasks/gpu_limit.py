"""Limit GPU use to one stage at a time across all runs and checkouts that share a Prefect server.

The server holds the limit. It is created if missing, since a missing limit admits everyone. An existing one is kept, as
it may have been raised for a machine with several GPUs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from prefect import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.concurrency.sync import concurrency
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.logging import get_run_logger

LIMIT = "gpu"


@contextmanager
def gpu_slot(stage: str, accelerator: str) -> Iterator[None]:
    """Wait for the GPU and hold it during the block if the stage uses one. Must be called inside a run.

    Args:
        stage: name of the stage, for messages.
        accelerator: its setting.

    Raises:
        ParameterError: the setting requires a GPU and there is none.
    """
    if not _uses_gpu(stage, accelerator):
        yield
        return
    ensure_limit()
    get_run_logger().info("%s waits for the GPU", stage)
    # A server restart during a lease renewal is only logged; it must not end days of training.
    with concurrency(LIMIT, occupy=1, strict=True, raise_on_lease_renewal_failure=False):
        get_run_logger().info("%s has the GPU", stage)
        yield


def ensure_limit() -> None:
    """Create the limit of one GPU slot if the server has none."""
    with get_client(sync_client=True) as client:
        try:
            client.read_global_concurrency_limit_by_name(LIMIT)
        except ObjectNotFound:
            with suppress(ObjectAlreadyExists):  # another process created it meanwhile
                client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=LIMIT, limit=1))


def _uses_gpu(stage: str, accelerator: str) -> bool:
    if accelerator == "cpu":  # avoids loading torch
        return False
    from tryon.training.device import choose_accelerator

    return choose_accelerator(stage, accelerator) == "cuda"
