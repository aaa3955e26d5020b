"""Runs whose process was killed end as crashed, not as running for ever.

An automation on the server waits for a sign of life of each run, from the moment that the server calls it pending or
running. What a server forgets when it dies is made good when one is started: it is told to wait for the runs that its
database calls unfinished, or, where nobody can be at work on them any more, they are ended at once.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from httpx import HTTPError
from prefect import get_client
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.related import tags_as_related_resources
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import Event, Resource, ResourceSpecification
from prefect.states import Cancelled, Crashed

from tasks.prefect_api import TAG
from tasks.project_lock import active_processes

HEARTBEAT_TIMEOUT = 90
"""Seconds without a sign of life after which a run counts as crashed."""

NAME = "Runs without heartbeat have crashed"

WATCH_EVENT = "fitting-room.run-awaited"
"""Event that has the automation wait for a run whose own events its server has forgotten."""

_RUN = "prefect.flow-run."
_UNFINISHED = (StateType.PENDING, StateType.RUNNING, StateType.CANCELLING)
_LIVENESS_EVENTS = ("heartbeat", "Running")
_END_EVENTS = (
    "Completed", "Failed", "Cancelled", "Crashed", "Paused", "Suspended", "Scheduled", "AwaitingRetry",
    "AwaitingConcurrencySlot",
)  # fmt: skip


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
    """After a sign of life, or a start, there has to be another sign, or an end, within `HEARTBEAT_TIMEOUT` seconds.

    The server itself notes a start, so a run that is killed before its first heartbeat is waited for as well.
    """
    return AutomationCore(
        name=NAME,
        description=f"No sign of life for {HEARTBEAT_TIMEOUT} s: the process was killed, or the machine went down.",
        trigger=EventTrigger(
            after={WATCH_EVENT, f"{_RUN}Pending", *(_RUN + sign for sign in _LIVENESS_EVENTS)},
            expect={_RUN + event for event in (*_LIVENESS_EVENTS, *_END_EVENTS)},
            match=ResourceSpecification({"prefect.resource.id": [f"{_RUN}*"]}),
            match_related=ResourceSpecification({"prefect.resource.id": [f"prefect.tag.{TAG}"]}),
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=timedelta(seconds=HEARTBEAT_TIMEOUT),
        ),
        actions=[
            ChangeFlowRunState(
                name=None, state=StateType.CRASHED, message=f"no sign of life for {HEARTBEAT_TIMEOUT} s", force=False
            )
        ],
    )


def arm_heartbeat_watch() -> None:
    """Have the automation wait for every run that the server calls unfinished. A server refuses to end it twice."""
    with get_client(sync_client=True) as client:
        events = [_watch_event(run).model_dump(mode="json") for run in _unfinished(client)]
        if events:
            client.request("POST", "/events", json=events)


def mark_orphans_crashed() -> None:
    """End as crashed the runs that the server calls unfinished, unless somebody is at work in this project.

    Only for a server that has just been started on a database of this project's alone.
    """
    with get_client(sync_client=True) as client:
        lost = _unfinished(client)  # looked at before the locks: who has begun since is not among them
        for run in lost if not active_processes() else ():
            client.set_flow_run_state(run.id, Crashed(message="its process was gone when a server was started again"))


def cancel_running() -> None:
    """End as cancelled what was at work when serving was stopped. A server that is gone already cannot be told."""
    with suppress(HTTPError), get_client(sync_client=True) as client:
        for run in _unfinished(client):
            client.set_flow_run_state(run.id, Cancelled(message="serving was stopped"), force=True)


def _unfinished(client: SyncPrefectClient) -> list[FlowRun]:
    wanted = {"tags": {"all_": [TAG]}, "state": {"type": {"any_": list(_UNFINISHED)}}}
    return client.read_flow_runs(flow_run_filter=FlowRunFilter.model_validate(wanted))


def _watch_event(run: FlowRun) -> Event:
    resource = Resource({"prefect.resource.id": f"{_RUN}{run.id}"})
    return Event(event=WATCH_EVENT, resource=resource, related=list(tags_as_related_resources({TAG})))
