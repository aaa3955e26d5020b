"""A Prefect server of the pipeline's own, on loopback, for as long as one run lasts.

Its database lies in the project, so the runs of before are there the next time any server is started on it.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.api import answers
from tasks.launch import end, start
from tryon.errors import TryOnError
from tryon.workspace import Workspace

HOST = "127.0.0.1"

START_WITHIN = 120.0
"""Seconds that the server gets to answer; it takes some nine, more on its first start."""


@contextmanager
def own_server(workspace: Workspace) -> Iterator[str]:
    """Start a server, yield the URL of its API, and end the server again. What it says goes to a file in its folder.

    Raises:
        TryOnError: it does not come up.
    """
    home = server_home(workspace)
    home.mkdir(parents=True, exist_ok=True)
    port = free_port()
    url = f"http://{HOST}:{port}/api"
    with (home / "server.log").open("wb") as log:
        server = start(_command(port), workspace.root, _settings(home, url), output=log.fileno(), errors=log.fileno())
        try:
            _await(server, url, home / "server.log")
            yield url
        finally:
            end(server)


def server_home(workspace: Workspace) -> Path:
    """The server's PREFECT_HOME, with its database and its log."""
    return workspace.staging("prefect").resolve()


def free_port() -> int:
    """A TCP port of this machine on which nobody listens."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def _command(port: int) -> list[str]:
    quiet = ["--analytics-off", "--no-scheduler", "--no-late-runs", "--log-level", "WARNING"]
    return [sys.executable, "-m", "prefect", "server", "start", "--host", HOST, "--port", str(port), *quiet]


def _settings(home: Path, url: str) -> dict[str, str]:
    return {
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{home / 'prefect.db'}",
        "PREFECT_SERVER_UI_API_URL": url,
        "PREFECT_API_URL": url,
        "PREFECT_CLI_PROMPT": "false",
    }


def _await(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + START_WITHIN
    while not answers(url, 1.0):
        if server.poll() is not None or time.monotonic() > until:
            remedy = f"See {os.path.relpath(log)}, or start one by hand and set PREFECT_API_URL."
            raise TryOnError("Prefect server", rule=f"answers within {START_WITHIN:.0f} s", remedy=remedy)
        time.sleep(0.1)
