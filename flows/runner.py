"""Prefect's runner, which starts a process for each run of a deployment, stopped by SIGTERM as by Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.runner import Runner

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment


class StoppableRunner(Runner):
    """Prefect's own handler of SIGTERM forgets to wait for its tidying up, and leaves a warning on the terminal."""

    def handle_sigterm(self, *_: Any, **__: Any) -> None:
        """End as after Ctrl-C: schedules are paused, runs are ended."""
        signal.raise_signal(signal.SIGINT)


async def serve_deployments(deployments: Sequence[RunnerDeployment], ready: Callable[[], object]) -> None:
    """Register deployments and run what is asked of them until SIGINT or SIGTERM; `ready` is called in between."""
    runner = StoppableRunner()
    for deployment in deployments:
        number = await runner.aadd_deployment(deployment)
        if not deployment.schedules:
            await _unschedule(number)
    ready()
    await runner.start()


async def _unschedule(deployment: UUID) -> None:
    """Take away the schedules of an earlier registration: Prefect leaves them where a new one has none."""
    async with get_client() as client:
        for schedule in await client.read_deployment_schedules(deployment):
            await client.delete_deployment_schedule(deployment, schedule.id)
