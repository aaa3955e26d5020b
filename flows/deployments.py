"""Deployments of `make serve`: names, flows, schedules and concurrency limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

from cronsim import CronSim, CronSimError

from tasks.prefect_api import TAG
from tryon.errors import ParameterError
from tryon.pipeline.stages import STAGES

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment
    from prefect.schedules import Schedule

WATCH = "watch"
WATCH_INTERVAL = 10.0  # default minutes between two checks of the data source
_CRON_FIELDS = 5
_MAX_MINUTES = 366 * 24 * 60


@dataclass(frozen=True)
class Deployment:
    """A flow that can be run from Prefect's UI, a schedule or `prefect deployment run <flow>/<name>`.

    Args:
        name: name of the deployment.
        flow: module and function ("flows.pipeline.pipeline").
        description: text for the UI.
        enqueue_concurrent: whether a second run waits for the first; otherwise it is cancelled.
        parameters: default parameters of the flow.
        has_schedule: whether it runs on the watch schedule.
    """

    name: str
    flow: str
    description: str
    enqueue_concurrent: bool = True
    parameters: Mapping[str, Any] = field(default_factory=dict)
    has_schedule: bool = False


DEPLOYMENTS = (
    Deployment("pipeline", "flows.pipeline.pipeline", "Bring all stages up to date, optionally with other settings."),
    *(
        Deployment(
            stage, "flows.single_stage.run_single_stage", f"Run only the {stage} stage.", parameters={"stage": stage}
        )
        for stage in STAGES
    ),
    Deployment(
        WATCH,
        "flows.watch.watch",
        "Check the data source; start the pipeline once it has changed and is stable.",
        enqueue_concurrent=False,
        has_schedule=True,
    ),
    Deployment(
        "score-checkpoint",
        "flows.score_checkpoint.score_checkpoint",
        "Score a checkpoint file on the test rows of the subset; DVC outputs are unchanged.",
    ),
)
"""All deployments. Each is limited to one run at a time."""


@dataclass(frozen=True)
class WatchSchedule:
    """Schedule of the watch: a cron expression, else an interval in minutes, else none."""

    minutes: float | None = WATCH_INTERVAL
    cron: str | None = None

    def validate(self) -> None:
        """Validate the schedule without importing Prefect.

        Raises:
            ParameterError: the interval is out of range, or the cron expression is invalid.
        """
        if self.cron is not None:
            validate_cron(self.cron)
        elif self.minutes is not None and not 1 <= self.minutes <= _MAX_MINUTES:
            raise ParameterError(
                "--watch-every is out of range", found=self.minutes, expected=f"minutes between 1 and {_MAX_MINUTES}"
            )

    def schedule(self) -> Schedule | None:
        """Validate and convert to a Prefect schedule, None without one. Cron expressions are in UTC."""
        from prefect.schedules import Cron, Interval

        self.validate()
        if self.cron is not None:
            return Cron(self.cron, timezone="UTC", slug=WATCH)
        return None if self.minutes is None else Interval(timedelta(minutes=self.minutes), slug=WATCH)


def validate_cron(expression: str) -> None:
    """Raise a ParameterError if a cron expression is invalid or never fires, as on 31 February."""
    try:
        if len(expression.split()) != _CRON_FIELDS:  # CronSim takes a sixth field as seconds
            raise CronSimError("it needs five fields")
        CronSim(expression, datetime.now(UTC))
    except CronSimError as error:
        raise ParameterError(
            f"--watch-cron is not a valid cron expression ({error})",
            found=expression,
            hint='Write five fields, for example "0 3 * * *" for every night at three.',
        ) from error


def build_deployments(watch: WatchSchedule) -> list[RunnerDeployment]:
    """Convert all deployments to Prefect's. Imports every flow."""
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.types.entrypoint import EntrypointType

    result: list[RunnerDeployment] = []
    for deployment in DEPLOYMENTS:
        module, _, name = deployment.flow.rpartition(".")
        schedule = watch.schedule() if deployment.has_schedule else None
        strategies = ConcurrencyLimitStrategy
        strategy = strategies.ENQUEUE if deployment.enqueue_concurrent else strategies.CANCEL_NEW
        result.append(
            getattr(import_module(module), name).to_deployment(
                name=deployment.name,
                description=deployment.description,
                parameters=dict(deployment.parameters),
                schedules=[schedule] if schedule else [],
                concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=strategy),
                tags=[TAG],
                entrypoint_type=EntrypointType.MODULE_PATH,
            )
        )
    return result
