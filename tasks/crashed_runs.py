"""Mark runs whose process was killed as crashed.

An automation on the server expects heartbeats of each run once it is pending or running. A server that restarts forgets
which runs it was waiting for; then either the watch is armed again for unfinished runs, or, if no process of this
project is active, they are marked as crashed at once.
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

HEARTBEAT_TIMEOUT = 90  # seconds without heartbeat after which a run counts as crashed
NAME = "Runs without heartbeat have crashed"

WATCH_EVENT = "fitting-room.run-awaited"
"""Event that makes the automation expect heartbeats of a run whose own events the server has forgotten."""

_RUN = "prefect.flow-run."
_UNFINISHED = (StateType.PENDING, StateType.RUNNING, StateType.CANCELLING)
_LIVENESS_EVENTS = ("heartbeat", "Running")
_END_EVENTS = (
    "Completed", "Failed", "Cancelled", "Crashed", "Paused", "Suspended", "Scheduled", "AwaitingRetry",
    "AwaitingConcurrencySlot",
)  # fmt: skip


def ensure_automation() -> None:
    """Create the automation. An existing one is kept, since a new one would forget the runs it waits for."""
    new = automation()
    with get_client(sync_client=True) as client:
        existing = client.read_automations_by_name(NAME)
        for old in existing:
            if old.description != new.description:
                client.delete_automation(old.id)
        if new.description not in [old.description for old in existing]:
            client.create_automation(new)


def automation() -> AutomationCore:
    """Build the automation: a heartbeat or start must be followed by a heartbeat or end within `HEARTBEAT_TIMEOUT`.

    The server records starts itself, so runs killed before their first heartbeat are covered as well.
    """
    return AutomationCore(
        name=NAME,
        description=f"No heartbeat for {HEARTBEAT_TIMEOUT} s: the process was killed, or the machine went down.",
        trigger=EventTrigger(
            after={WATCH_EVENT, f"{_RUN}Pending", *(_RUN + event for event in _LIVENESS_EVENTS)},
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
                name=None, state=StateType.CRASHED, message=f"no heartbeat for {HEARTBEAT_TIMEOUT} s", force=False
            )
        ],
    )


def arm_heartbeat_watch() -> None:
    """Make the automation expect heartbeats of every unfinished run."""
    with get_client(sync_client=True) as client:
        events = [_watch_event(run).model_dump(mode="json") for run in _unfinished(client)]
        if events:
            client.request("POST", "/events", json=events)


def mark_orphans_crashed() -> None:
    """Mark unfinished runs as crashed, unless a process of this project is active.

    Only valid for a server that was just started on a database used by this project alone.
    """
    with get_client(sync_client=True) as client:
        orphans = _unfinished(client)  # before the locks are checked, so that runs started since are not included
        for run in orphans if not active_processes() else ():
            client.set_flow_run_state(run.id, Crashed(message="its process was gone when the server was restarted"))


def cancel_running() -> None:
    """Mark unfinished runs as cancelled when serving stops, if the server still answers."""
    with suppress(HTTPError), get_client(sync_client=True) as client:
        for run in _unfinished(client):
            client.set_flow_run_state(run.id, Cancelled(message="serving was stopped"), force=True)


def _unfinished(client: SyncPrefectClient) -> list[FlowRun]:
    query = {"tags": {"all_": [TAG]}, "state": {"type": {"any_": list(_UNFINISHED)}}}
    return client.read_flow_runs(flow_run_filter=FlowRunFilter.model_validate(query))


def _watch_event(run: FlowRun) -> Event:
    resource = Resource({"prefect.resource.id": f"{_RUN}{run.id}"})
    return Event(event=WATCH_EVENT, resource=resource, related=list(tags_as_related_resources({TAG})))
