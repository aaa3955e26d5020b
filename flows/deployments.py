"""What `make serve` offers: names, flows, schedules and limits of the deployments, and what they need on the server."""

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
WATCH_EVERY = 10.0
"""Minutes between two looks at the data source."""

_CRON_FIELDS = 5
_LONGEST = 366 * 24 * 60


@dataclass(frozen=True)
class Deployment:
    """One thing that can be started from the page, a schedule or `prefect deployment run <flow>/<name>`.

    Args:
        name: its own name.
        flow: module and function, "flows.pipeline.pipeline"; its Prefect name is the first half of the full name.
        description: what the page says about it.
        enqueue_concurrent: a second run waits for the first; else it is cancelled at once.
        parameters: fixed ones; the form shows them filled in.
        has_schedule: it takes the schedule of the watch.
    """

    name: str
    flow: str
    description: str
    enqueue_concurrent: bool = True
    parameters: Mapping[str, Any] = field(default_factory=dict)
    has_schedule: bool = False


DEPLOYMENTS = (
    Deployment("pipeline", "flows.pipeline.pipeline", "Bring every stage up to date, with other settings if you like."),
    *(
        Deployment(
            stage, "flows.single_stage.run_single_stage", f"Run the stage {stage} alone.", parameters={"stage": stage}
        )
        for stage in STAGES
    ),
    Deployment(
        WATCH,
        "flows.watch.watch",
        "Look whether the data source has changed; start the pipeline once it has and is at rest.",
        enqueue_concurrent=False,
        has_schedule=True,
    ),
    Deployment(
        "score-checkpoint",
        "flows.score_checkpoint.score_checkpoint",
        "Score a checkpoint file on the test rows of the subset; nothing that DVC keeps is touched.",
    ),
)
"""All of them. Each has one run at a time."""


@dataclass(frozen=True)
class WatchSchedule:
    """When to watch: at a cron line, else every `minutes`, else never."""

    minutes: float | None = WATCH_EVERY
    cron: str | None = None

    def validate(self) -> None:
        """Look at the schedule, without Prefect.

        Raises:
            ParameterError: the interval is below a minute, or the cron line is none.
        """
        if self.cron is not None:
            validate_cron(self.cron)
        elif self.minutes is not None and not 1 <= self.minutes <= _LONGEST:
            raise ParameterError("--watch-every", expected="is at least one minute, at most a year", found=self.minutes)

    def schedule(self) -> Schedule | None:
        """For Prefect; None for never. Cron lines are in UTC.

        Raises:
            ParameterError: as `check`.
        """
        from prefect.schedules import Cron, Interval

        self.validate()
        if self.cron is not None:
            return Cron(self.cron, timezone="UTC", slug=WATCH)
        return None if self.minutes is None else Interval(timedelta(minutes=self.minutes), slug=WATCH)


def validate_cron(line: str) -> None:
    """Raises ParameterError if `line` is no cron line, or one of a day that never comes, as 31 February."""
    remedy = 'Write five fields: "0 3 * * *" is every night at three.'
    if len(line.split()) != _CRON_FIELDS:  # of six, the last or the first are seconds
        raise ParameterError("--watch-cron", expected="is a cron line of five fields", found=line, hint=remedy)
    try:
        CronSim(line, datetime.now(UTC))
    except CronSimError as error:
        told = f"{line}: {error}"
        raise ParameterError("--watch-cron", expected="is a cron line", found=told, hint=remedy) from error


def build_deployments(watch: WatchSchedule) -> list[RunnerDeployment]:
    """The deployments as Prefect takes them. Imports every flow."""
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.types.entrypoint import EntrypointType

    found: list[RunnerDeployment] = []
    for own in DEPLOYMENTS:
        module, _, name = own.flow.rpartition(".")
        schedule = watch.schedule() if own.has_schedule else None
        strategy = ConcurrencyLimitStrategy.ENQUEUE if own.enqueue_concurrent else ConcurrencyLimitStrategy.CANCEL_NEW
        found.append(
            getattr(import_module(module), name).to_deployment(
                name=own.name,
                description=own.description,
                parameters=dict(own.parameters),
                schedules=[schedule] if schedule else [],
                concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=strategy),
                tags=[TAG],
                entrypoint_type=EntrypointType.MODULE_PATH,
            )
        )
    return found
