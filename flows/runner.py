"""Prefect's runner, which starts a process for each run of a deployment."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from prefect.client.orchestration import get_client
from prefect.runner import Runner

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment


class StoppableRunner(Runner):
    """Runner that handles SIGTERM like Ctrl-C. Prefect's handler does not await its cleanup, which prints a warning."""

    def handle_sigterm(self, *_: Any, **__: Any) -> None:
        """Pause schedules and end runs."""
        signal.raise_signal(signal.SIGINT)


async def serve_deployments(deployments: Sequence[RunnerDeployment], ready: Callable[[], object]) -> None:
    """Register deployments, call `ready`, and execute their runs until SIGINT or SIGTERM.

    Schedules of an earlier registration are deleted; Prefect would keep them where the new one has none.
    """
    runner = StoppableRunner()
    for deployment in deployments:
        deployment_id = await runner.aadd_deployment(deployment)
        if not deployment.schedules:
            async with get_client() as client:
                for schedule in await client.read_deployment_schedules(deployment_id):
                    await client.delete_deployment_schedule(deployment_id, schedule.id)
    ready()
    await runner.start()
