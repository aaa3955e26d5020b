"""Serve a project with `python -m flows.serve`, send requests to its server, and stop it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import httpx

from flows.deployments import DEPLOYMENTS
from flows.prefect_server import free_port

TIMEOUT = 90.0


def query(url: str, kind: str, **json: Any) -> list[dict[str, Any]]:
    """Return all objects of a kind from the server at `url`; none while it is down."""
    try:
        return httpx.post(f"{url}/{kind}/filter", json=json, trust_env=False).json()
    except httpx.HTTPError:
        return []


class ServedProject:
    """A project that is being served, and a client of its server.

    Args:
        project: the `Project` of `tests.flows.conftest`.
        options: further options of `flows.serve`.
    """

    def __init__(self, project: Any, *options: str) -> None:
        self.project = project
        port = free_port()
        self.page = f"http://127.0.0.1:{port}"
        self.url = f"{self.page}/api"
        self.process = project.start("-m", "flows.serve", "--port", str(port), *options, url=None)
        try:
            wait_until(lambda: len(self.query("deployments")) == len(DEPLOYMENTS), 120)
        except BaseException:
            self.process.kill()  # no fixture stops it yet
            raise

    def query(self, kind: str, **json: Any) -> list[dict[str, Any]]:
        """Return all objects of a kind; none while the server is down."""
        return query(self.url, kind, **json)

    def deployment(self, name: str) -> str:
        """Return the id of a deployment."""
        return next(item["id"] for item in self.query("deployments") if item["name"] == name)

    def post(self, path: str, **json: Any) -> httpx.Response:
        """Send a request; retry while the database is busy (503), as Prefect's client does."""
        response = httpx.post(f"{self.url}/{path}", json=json, trust_env=False)
        for _ in range(20):
            if response.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            time.sleep(0.5)
            response = httpx.post(f"{self.url}/{path}", json=json, trust_env=False)
        return response

    def run(self, name: str, /, **parameters: Any) -> httpx.Response:
        """Request a run, as the UI does."""
        path = f"deployments/{self.deployment(name)}/create_flow_run"
        return self.post(path, parameters=parameters, state={"type": "SCHEDULED"})

    def start_run(self, name: str, /, **parameters: Any) -> str:
        """Request a run and return its id."""
        return self.run(name, **parameters).json()["id"]

    def state(self, run: str) -> dict[str, Any]:
        """Return the current state of a run."""
        return httpx.get(f"{self.url}/flow_runs/{run}", trust_env=False).json()

    def wait_for_end(self, run: str, seconds: float = 180.0) -> dict[str, Any]:
        """Wait until a run has ended and return it."""
        wait_until(lambda: self.state(run)["state_type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"), seconds)
        return self.state(run)

    def artifacts(self) -> dict[str, str]:
        """Return the latest text of every artifact by key."""
        return {item["key"]: item["data"] for item in self.query("artifacts/latest")}


def stop(served: ServedProject, number: signal.Signals) -> int:
    """Send a signal and return the exit code."""
    os.kill(served.process.pid, number)
    return served.process.wait(TIMEOUT)


def wait_until(condition: Callable[[], object], seconds: float = TIMEOUT) -> None:
    """Wait until `condition` holds; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.2)
