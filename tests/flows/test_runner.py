"""A new registration of deployments replaces the schedules of an earlier one."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.deployments import WatchSchedule, build_deployments
from flows.runner import serve_deployments

pytestmark = pytest.mark.slow


class RegisteredError(Exception):
    """Ends serving after the registration."""


def stop_serving() -> None:
    raise RegisteredError


def schedules_after(watch: WatchSchedule, server: str) -> list[dict[str, object]]:
    deployments = [item for item in build_deployments(watch) if item.name == "watch"]
    with temporary_settings(updates={PREFECT_API_URL: server}), pytest.raises(RegisteredError):
        asyncio.run(serve_deployments(deployments, stop_serving))
    content = httpx.get(f"{server}/deployments/name/watch/watch", trust_env=False).json()
    return [item["schedule"] for item in content["schedules"]]


def test_old_schedules_are_deleted(server: str) -> None:
    (schedule,) = schedules_after(WatchSchedule(), server)
    assert schedule["interval"] == 600
    (schedule,) = schedules_after(WatchSchedule(cron="0 3 * * *"), server)
    assert schedule["cron"] == "0 3 * * *"
    assert schedules_after(WatchSchedule(None), server) == []
