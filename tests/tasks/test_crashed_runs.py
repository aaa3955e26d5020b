"""The automation that ends runs without heartbeat."""

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

from tasks import crashed_runs as crashes
from tasks.prefect_api import HEARTBEAT_INTERVAL, TAG


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> list[SimpleNamespace]:
    """The automations on the server."""
    held: list[SimpleNamespace] = []
    client = SimpleNamespace(
        read_automations_by_name=lambda name: [one for one in held if one.name == name],
        delete_automation=lambda number: held.remove(next(one for one in held if one.id == number)),
        create_automation=lambda new: held.append(
            SimpleNamespace(id=len(held), name=new.name, description=new.description)
        ),
    )
    monkeypatch.setattr(crashes, "get_client", lambda **_: contextlib.nullcontext(client))
    return held


@pytest.fixture
def unfinished(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A server that calls two runs unfinished, and what it is told of them."""
    one = SimpleNamespace(runs=[SimpleNamespace(id=uuid4()) for _ in range(2)], asked=[], events=[], ended=[])

    def read(flow_run_filter: Any) -> list[SimpleNamespace]:
        one.asked.append(flow_run_filter)
        return one.runs

    client = SimpleNamespace(
        read_flow_runs=read,
        request=lambda method, path, json: one.events.extend(json),
        set_flow_run_state=lambda number, state: one.ended.append((number, state.type)),
    )
    monkeypatch.setattr(crashes, "get_client", lambda **_: contextlib.nullcontext(client))
    return one


def on_server() -> EventTrigger:
    """The automation's trigger as a server evaluates it."""
    return EventTrigger.model_validate(crashes.automation().trigger.model_dump())


def test_a_run_is_waited_for_from_its_start(there: list[SimpleNamespace]) -> None:
    trigger = on_server()
    for started in ("Pending", "Running"):
        assert trigger.starts_after(f"prefect.flow-run.{started}")
    assert trigger.expects("prefect.flow-run.Running")  # of one that was pending


def test_runs_that_a_server_has_forgotten_are_waited_for(unfinished: SimpleNamespace) -> None:
    crashes.arm_heartbeat_watch()
    trigger = on_server()
    told = [Event.model_validate(event).receive() for event in unfinished.events]
    assert [event.resource.id for event in told] == [f"prefect.flow-run.{run.id}" for run in unfinished.runs]
    assert all(trigger.covers(event) and trigger.starts_after(event.event) for event in told)
    assert not any(trigger.expects(event.event) for event in told)  # it is no sign of life
    assert unfinished.asked[0].tags.all_ == [TAG]


def test_nobody_elses_run_is_waited_for() -> None:
    told = {"occurred": datetime.now(UTC), "event": "prefect.flow-run.Running", "id": uuid4()}
    resource = {"prefect.resource.id": "prefect.flow-run.1"}
    own = [{"prefect.resource.id": f"prefect.tag.{TAG}", "prefect.resource.role": "tag"}]
    for related, covered in ((own, True), ([], False)):
        event = Event.model_validate(told | {"resource": resource, "related": related})
        assert on_server().covers(event.receive()) == covered


@pytest.mark.parametrize("working", [[], ["pipeline (process 1 since yesterday)"]])
def test_lost_runs_are_ended_unless_somebody_is_at_work(
    working: list[str], unfinished: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crashes, "active_processes", lambda: working)
    crashes.mark_orphans_crashed()
    assert unfinished.ended == ([] if working else [(run.id, StateType.CRASHED) for run in unfinished.runs])


def test_a_run_may_miss_two_heartbeats(there: list[SimpleNamespace]) -> None:
    trigger = crashes.automation().trigger
    assert trigger.within == timedelta(seconds=90)  # pyright: ignore[reportAttributeAccessIssue]
    assert timedelta(seconds=3 * HEARTBEAT_INTERVAL) <= trigger.within  # pyright: ignore[reportAttributeAccessIssue]
    assert crashes.automation().actions[0].state.value == "CRASHED"  # pyright: ignore[reportAttributeAccessIssue]


def test_it_is_made_once_and_an_outdated_one_is_replaced(there: list[SimpleNamespace]) -> None:
    crashes.ensure_automation()
    first = there[0]
    crashes.ensure_automation()
    assert there == [first]
    first.description = "of an earlier version"
    crashes.ensure_automation()
    assert [one.description for one in there] == [crashes.automation().description]
