"""A project that is being served, for tests: what its server answers, and how it is stopped."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import httpx

from flows.deployments import DEPLOYMENTS
from flows.prefect_server import free_port

WITHIN = 90.0


def asked(url: str, kind: str, **json: Any) -> list[dict[str, Any]]:
    """Everything of a kind that the server at `url` has; nothing while it is away."""
    try:
        return httpx.post(f"{url}/{kind}/filter", json=json, trust_env=False).json()
    except httpx.HTTPError:
        return []


class Served:
    """A project that is being served, and its API."""

    def __init__(self, project: Any, *options: str) -> None:
        self.project = project
        port = free_port()
        self.page = f"http://127.0.0.1:{port}"
        self.url = f"{self.page}/api"
        self.process = project.start("-m", "flows.serve", "--port", str(port), *options, url=None)
        try:
            wait_until(lambda: len(self.ask("deployments")) == len(DEPLOYMENTS), 120)
        except BaseException:
            self.process.kill()  # no fixture knows it yet
            raise

    def ask(self, kind: str, **json: Any) -> list[dict[str, Any]]:
        """Everything of a kind; nothing while the server is away."""
        return asked(self.url, kind, **json)

    def deployment(self, name: str) -> str:
        """Id of a deployment."""
        return next(one["id"] for one in self.ask("deployments") if one["name"] == name)

    def post(self, path: str, **json: Any) -> httpx.Response:
        """Send something; a server whose database is busy (503) is asked again, as Prefect's own client does."""
        answer = httpx.post(f"{self.url}/{path}", json=json, trust_env=False)
        for _ in range(20):
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            time.sleep(0.5)
            answer = httpx.post(f"{self.url}/{path}", json=json, trust_env=False)
        return answer

    def run(self, name: str, /, **parameters: Any) -> httpx.Response:
        """Ask for a run, as the page does."""
        path = f"deployments/{self.deployment(name)}/create_flow_run"
        return self.post(path, parameters=parameters, state={"type": "SCHEDULED"})

    def started(self, name: str, /, **parameters: Any) -> str:
        """Id of a run that was asked for."""
        return self.run(name, **parameters).json()["id"]

    def state(self, run: str) -> dict[str, Any]:
        """A run as it is."""
        return httpx.get(f"{self.url}/flow_runs/{run}", trust_env=False).json()

    def ended(self, run: str, seconds: float = 180.0) -> dict[str, Any]:
        """A run once it has ended."""
        wait_until(lambda: self.state(run)["state_type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"), seconds)
        return self.state(run)

    def artifacts(self) -> dict[str, str]:
        """Latest text of every artifact by key."""
        return {one["key"]: one["data"] for one in self.ask("artifacts/latest")}


def stop(served: Served, number: signal.Signals) -> int:
    os.kill(served.process.pid, number)
    return served.process.wait(WITHIN)


def wait_until(true: Callable[[], object], seconds: float = WITHIN) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.2)
