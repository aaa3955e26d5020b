"""The automation that ends runs without heartbeat."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from types import SimpleNamespace

import pytest

from tasks import crashes
from tasks.api import HEARTBEAT


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


def test_a_run_may_miss_two_heartbeats(there: list[SimpleNamespace]) -> None:
    trigger = crashes.automation().trigger
    assert trigger.within == timedelta(seconds=90)  # pyright: ignore[reportAttributeAccessIssue]
    assert timedelta(seconds=3 * HEARTBEAT) <= trigger.within  # pyright: ignore[reportAttributeAccessIssue]
    assert crashes.automation().actions[0].state.value == "CRASHED"  # pyright: ignore[reportAttributeAccessIssue]


def test_it_is_made_once_and_an_outdated_one_is_replaced(there: list[SimpleNamespace]) -> None:
    crashes.ensure_automation()
    first = there[0]
    crashes.ensure_automation()
    assert there == [first]
    first.description = "of an earlier version"
    crashes.ensure_automation()
    assert [one.description for one in there] == [crashes.automation().description]
