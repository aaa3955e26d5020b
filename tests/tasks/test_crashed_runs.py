"""The automation for runs without heartbeat, and the handling of orphaned runs."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import StateType
from prefect.server.events.schemas.automations import EventTrigger
from prefect.server.events.schemas.events import Event

from tasks import crashed_runs
from tasks.prefect_api import HEARTBEAT_INTERVAL, TAG


@pytest.fixture
def automations(monkeypatch: pytest.MonkeyPatch) -> list[SimpleNamespace]:
    """The automations on the server."""
    existing: list[SimpleNamespace] = []
    client = SimpleNamespace(
        read_automations_by_name=lambda name: [item for item in existing if item.name == name],
        delete_automation=lambda number: existing.remove(next(item for item in existing if item.id == number)),
        create_automation=lambda new: existing.append(
            SimpleNamespace(id=len(existing), name=new.name, description=new.description)
        ),
    )
    monkeypatch.setattr(crashed_runs, "get_client", lambda **_: contextlib.nullcontext(client))
    return existing


@pytest.fixture
def unfinished(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A fake server with two unfinished runs that records the requests."""
    server = SimpleNamespace(runs=[SimpleNamespace(id=uuid4()) for _ in range(2)], filters=[], events=[], ended=[])

    def read(flow_run_filter: Any) -> list[SimpleNamespace]:
        server.filters.append(flow_run_filter)
        return server.runs

    client = SimpleNamespace(
        read_flow_runs=read,
        request=lambda method, path, json: server.events.extend(json),
        set_flow_run_state=lambda number, state: server.ended.append((number, state.type)),
    )
    monkeypatch.setattr(crashed_runs, "get_client", lambda **_: contextlib.nullcontext(client))
    return server


def server_trigger() -> EventTrigger:
    """Return the automation's trigger as a server evaluates it."""
    return EventTrigger.model_validate(crashed_runs.automation().trigger.model_dump())


def test_run_is_watched_from_its_start(automations: list[SimpleNamespace]) -> None:
    trigger = server_trigger()
    for started in ("Pending", "Running"):
        assert trigger.starts_after(f"prefect.flow-run.{started}")
    assert trigger.expects("prefect.flow-run.Running")  # after Pending


def test_unfinished_runs_are_watched_again(unfinished: SimpleNamespace) -> None:
    crashed_runs.arm_heartbeat_watch()
    trigger = server_trigger()
    events = [Event.model_validate(event).receive() for event in unfinished.events]
    assert [event.resource.id for event in events] == [f"prefect.flow-run.{run.id}" for run in unfinished.runs]
    assert all(trigger.covers(event) and trigger.starts_after(event.event) for event in events)
    assert not any(trigger.expects(event.event) for event in events)  # it does not count as heartbeat
    assert unfinished.filters[0].tags.all_ == [TAG]


def test_runs_of_other_projects_are_not_watched() -> None:
    content = {"occurred": datetime.now(UTC), "event": "prefect.flow-run.Running", "id": uuid4()}
    resource = {"prefect.resource.id": "prefect.flow-run.1"}
    tagged = [{"prefect.resource.id": f"prefect.tag.{TAG}", "prefect.resource.role": "tag"}]
    for related, covered in ((tagged, True), ([], False)):
        event = Event.model_validate(content | {"resource": resource, "related": related})
        assert server_trigger().covers(event.receive()) == covered


@pytest.mark.parametrize("active", [[], ["pipeline (process 1 since yesterday)"]])
def test_orphans_are_marked_unless_a_process_is_active(
    active: list[str], unfinished: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crashed_runs, "active_processes", lambda: active)
    crashed_runs.mark_orphans_crashed()
    assert unfinished.ended == ([] if active else [(run.id, StateType.CRASHED) for run in unfinished.runs])


def test_run_may_miss_two_heartbeats(automations: list[SimpleNamespace]) -> None:
    trigger = crashed_runs.automation().trigger
    assert trigger.within == timedelta(seconds=90)  # pyright: ignore[reportAttributeAccessIssue]
    assert timedelta(seconds=3 * HEARTBEAT_INTERVAL) <= trigger.within  # pyright: ignore[reportAttributeAccessIssue]
    assert crashed_runs.automation().actions[0].state.value == "CRASHED"  # pyright: ignore[reportAttributeAccessIssue]


def test_automation_is_created_once_and_replaced_if_outdated(automations: list[SimpleNamespace]) -> None:
    crashed_runs.ensure_automation()
    first = automations[0]
    crashed_runs.ensure_automation()
    assert automations == [first]
    first.description = "of an earlier version"
    crashed_runs.ensure_automation()
    assert [item.description for item in automations] == [crashed_runs.automation().description]
