"""Runs whose process was killed end as crashed, not as running for ever: an automation that waits for heartbeats."""

from __future__ import annotations

from datetime import timedelta

from prefect import get_client
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification

SILENCE = 90
"""Seconds without one after which a run counts as crashed."""

NAME = "Runs without heartbeat have crashed"

_RUN = "prefect.flow-run."
_ENDS = ("Completed", "Failed", "Cancelled", "Crashed", "Paused", "Suspended", "Scheduled", "AwaitingRetry")


def ensure_automation() -> None:
    """Make the automation. One that is there is left alone: with another it would forget the runs it waits for."""
    wanted = automation()
    with get_client(sync_client=True) as client:
        there = client.read_automations_by_name(NAME)
        for old in there:
            if old.description != wanted.description:
                client.delete_automation(old.id)
        if wanted.description not in [old.description for old in there]:
            client.create_automation(wanted)


def automation() -> AutomationCore:
    """After a heartbeat there has to be another one, or an end, within `SILENCE` seconds."""
    return AutomationCore(
        name=NAME,
        description=f"No heartbeat for {SILENCE} s: the process was killed, or the machine went down.",
        trigger=EventTrigger(
            after={f"{_RUN}heartbeat"},
            expect={f"{_RUN}heartbeat", *(_RUN + state for state in _ENDS)},
            match=ResourceSpecification({"prefect.resource.id": [f"{_RUN}*"]}),
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=timedelta(seconds=SILENCE),
        ),
        actions=[
            ChangeFlowRunState(name=None, state=StateType.CRASHED, message=f"no heartbeat for {SILENCE} s", force=False)
        ],
    )
