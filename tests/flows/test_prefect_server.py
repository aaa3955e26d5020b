"""The project's Prefect server: one at a time, restarted when it dies."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from flows import prefect_server
from flows.prefect_server import ServerSupervisor, free_port, server_home, temporary_server
from tests.flows.served_project import wait_until
from tryon.errors import TryOnError
from tryon.workspace import Workspace

pytestmark = pytest.mark.slow


class FakeChild:
    """A fake server process that is alive for a number of polls."""

    returncode = -9

    def __init__(self, polls: float) -> None:
        self.polls = polls

    def poll(self) -> int | None:
        self.polls -= 1
        return None if self.polls > 0 else self.returncode


def test_second_server_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefect_server, "TERM_TIMEOUT", 0.05)
    workspace = Workspace(tmp_path)
    server_home(workspace).mkdir(parents=True)
    with FileLock(server_home(workspace) / "server.lock"):
        for second in (temporary_server(workspace), ServerSupervisor(workspace, free_port(), list)):
            with pytest.raises(TryOnError, match="Prefect server is already running"), second:
                pass


def test_callback_runs_after_each_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    children = [FakeChild(3), FakeChild(3), FakeChild(float("inf"))]
    monkeypatch.setattr(prefect_server, "_start", lambda *_: children.pop(0))
    monkeypatch.setattr(prefect_server, "is_reachable", lambda *_: True)
    monkeypatch.setattr(prefect_server, "terminate_group", lambda _: None)
    calls: list[int] = []

    def restarted() -> None:
        calls.append(len(children))
        if len(calls) == 1:
            raise ConnectionError("it has died again")

    with ServerSupervisor(Workspace(tmp_path), free_port(), restarted):
        wait_until(lambda: len(calls) == 2, 20)
    assert calls == [1, 0]
