"""Registering deployments: what an earlier registration left on the server does not outlive it."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.deployments import WatchSchedule, build_deployments
from flows.runner import serve_deployments


class RegisteredError(Exception):
    """All is registered, and nothing has been run."""


def registered() -> None:
    raise RegisteredError


def schedules_after(watch: WatchSchedule, server: str) -> list[dict[str, object]]:
    chosen = [one for one in build_deployments(watch) if one.name == "watch"]
    with temporary_settings(updates={PREFECT_API_URL: server}), pytest.raises(RegisteredError):
        asyncio.run(serve_deployments(chosen, registered))
    found = httpx.get(f"{server}/deployments/name/watch/watch", trust_env=False).json()
    return [one["schedule"] for one in found["schedules"]]


def test_a_schedule_that_is_chosen_no_more_is_gone(server: str) -> None:
    (schedule,) = schedules_after(WatchSchedule(), server)
    assert schedule["interval"] == 600
    (schedule,) = schedules_after(WatchSchedule(cron="0 3 * * *"), server)
    assert schedule["cron"] == "0 3 * * *"
    assert schedules_after(WatchSchedule(None), server) == []
