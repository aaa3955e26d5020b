"""A Prefect server of the project's own: one at a time, started again when it dies."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from flows import prefect_server as server
from flows.prefect_server import ServerSupervisor, free_port, server_home, temporary_server
from tests.flows.serving import wait_until
from tryon.errors import TryOnError
from tryon.workspace import Workspace


class Child:
    """Stands in for the process of a server: alive at so many looks."""

    returncode = -9

    def __init__(self, looks: float) -> None:
        self.looks = looks

    def poll(self) -> int | None:
        self.looks -= 1
        return None if self.looks > 0 else self.returncode


def test_a_project_has_one_server_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "TERM_TIMEOUT", 0.05)
    workspace = Workspace(tmp_path)
    server_home(workspace).mkdir(parents=True)
    with FileLock(server_home(workspace) / "server.lock"):
        for another in (temporary_server(workspace), ServerSupervisor(workspace, free_port(), list)):
            with pytest.raises(TryOnError, match="one Prefect server"), another:
                pass


def test_after_each_death_it_is_told_what_it_forgot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    children = [Child(3), Child(3), Child(float("inf"))]
    monkeypatch.setattr(server, "_start", lambda *_: children.pop(0))
    monkeypatch.setattr(server, "is_reachable", lambda *_: True)
    monkeypatch.setattr(server, "end", lambda _: None)
    told: list[int] = []

    def restarted() -> None:
        told.append(len(children))
        if len(told) == 1:
            raise ConnectionError("it has died again")

    with ServerSupervisor(Workspace(tmp_path), free_port(), restarted):
        wait_until(lambda: len(told) == 2, 20)
    assert told == [1, 0]
