"""A Prefect server of the project's own, on loopback: for as long as one run lasts, or kept up while serving.

Its database lies in the project, so the runs of before are there the next time any server is started on it.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

from tasks.prefect_api import API_URL_ENV, is_reachable
from tasks.subprocesses import TERM_TIMEOUT, spawn, terminate_group
from tryon.child_process import is_running
from tryon.console import log_line
from tryon.errors import TryOnError
from tryon.runtime.atomic_files import write_text
from tryon.workspace import Workspace

HOST = "127.0.0.1"

PORT = 4200
"""Where Prefect's own pages and commands look for a server."""

START_TIMEOUT = 120.0
"""Seconds that the server gets to answer; it takes some nine, more on its first start."""


@contextmanager
def temporary_server(workspace: Workspace) -> Iterator[str]:
    """Start a server, yield the URL of its API, and end the server again. What it says goes to a file in its folder.

    Raises:
        TryOnError: it does not come up, or the project has one already.
    """
    home = server_home(workspace)
    home.mkdir(parents=True, exist_ok=True)
    port = free_port()
    url = f"http://{HOST}:{port}/api"
    with _single_server_lock(workspace), (home / "server.log").open("wb") as log:
        server = _start(port, workspace, log.fileno(), ONE_RUN, NO_AUTOMATION)
        try:
            _wait_until_ready(lambda: server.poll() is not None, url, home / "server.log")
            yield url
        finally:
            terminate_group(server)


class ServerSupervisor:
    """The server of `make serve`: with schedules, and started again when it dies. A context manager.

    Args:
        workspace: the project.
        port: where it listens.
        restarted: called each time that it answers again after a death.
    """

    def __init__(self, workspace: Workspace, port: int, restarted: Callable[[], object]) -> None:
        self.url = f"http://{HOST}:{port}/api"
        self._workspace, self._port, self._restarted = workspace, port, restarted
        self._held = ExitStack()
        self._home = server_home(workspace)
        self._ending = threading.Event()
        # Starts every server: what is started ends with the thread that did it, so that one has to stay.
        self._keeper = threading.Thread(target=self._supervise, name="server keeper", daemon=True)

    def __enter__(self) -> Self:
        """Start it and wait until it answers.

        Raises:
            TryOnError: somebody listens on the port already, the project has a server already, or this one does not
                come up.
        """
        if not _is_free(self._port):
            remedy = f"Name another one with --port, or set {API_URL_ENV} to the Prefect server that is there."
            raise TryOnError(f"port {self._port}", expected="is free", hint=remedy)
        self._home.mkdir(parents=True, exist_ok=True)
        self._held.enter_context(_single_server_lock(self._workspace))
        self._keeper.start()
        try:
            _wait_until_ready(self._failed, self.url, self._home / "server.log")
        except BaseException:
            self.__exit__()
            raise
        write_text(_url_file(self._workspace), f"{os.getpid()} {self.url}")
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        _url_file(self._workspace).unlink(missing_ok=True)
        self._ending.set()
        self._keeper.join()
        self._held.close()

    def _failed(self) -> bool:
        return not self._keeper.is_alive()

    def _supervise(self) -> None:
        answered = False
        with (self._home / "server.log").open("ab") as log:
            while not self._ending.is_set():
                child = _start(self._port, self._workspace, log.fileno())
                try:
                    answered = self._wait_until_exit(child, answered)
                finally:
                    terminate_group(child)
                if self._ending.is_set() or not answered:
                    return
                log_line(f"The Prefect server ended ({child.returncode}) and is started again.")
                self._ending.wait(1.0)

    def _wait_until_exit(self, child: subprocess.Popen[bytes], again: bool) -> bool:
        """Wait for a server's end. Returns whether it, or one before it, has answered."""
        answered = False
        while child.poll() is None and not self._ending.wait(0.5):
            if not answered and is_reachable(self.url, 1.0):
                answered = True
                if again:
                    self._log_restart()
        return again or answered

    def _log_restart(self) -> None:
        try:
            self._restarted()
        except Exception as error:  # it may have died again; whatever it is, the server is kept up
            log_line(f"After the restart of the Prefect server: {error}")


def serving_url(workspace: Workspace) -> str | None:
    """The API of the server that `make serve` has started in this project, if it answers."""
    try:
        process, url = _url_file(workspace).read_text().split()
        alive = is_running(int(process))  # and not killed, so that another project's server answers at the same port
    except (OSError, ValueError):
        return None
    return url if alive and is_reachable(url, 1.0) else None


def server_home(workspace: Workspace) -> Path:
    """The server's PREFECT_HOME, with its database and its log."""
    return workspace.work_dir("prefect").resolve()


def uses_project_database() -> bool:
    """Whether a server started here keeps its runs in the project, and not in a database that others may use too."""
    return not os.environ.get(DATABASE)


def free_port() -> int:
    """A TCP port of this machine on which nobody listens."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


DATABASE = "PREFECT_SERVER_DATABASE_CONNECTION_URL"

ONE_RUN = ("--no-scheduler", "--no-late-runs")
"""Services that a single run has no need of."""

NO_AUTOMATION = {"PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false"}
"""A single run sends no heartbeats, and must not be ended for that by an automation that `make serve` has made."""


@contextmanager
def _single_server_lock(workspace: Workspace) -> Iterator[None]:
    """One server at a time: two would meet in the database. One that is about to end is waited for."""
    lock = FileLock(server_home(workspace) / "server.lock")
    try:
        lock.acquire(timeout=2 * TERM_TIMEOUT)
    except Timeout:
        rule, remedy = "has one Prefect server at a time", "Wait until the other has finished, or stop it."
        raise TryOnError(str(workspace.root.resolve()), expected=rule, hint=remedy) from None
    try:
        yield
    finally:
        lock.release()


def _start(
    port: int, workspace: Workspace, log: int, options: Sequence[str] = (), extra: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    listen = ["--host", HOST, "--port", str(port), "--analytics-off", "--log-level", "WARNING", *options]
    command = [sys.executable, "-m", "prefect", "server", "start", *listen]
    settings = _settings(server_home(workspace), f"http://{HOST}:{port}/api") | dict(extra or {})
    return spawn(command, workspace.root, settings, output=log, errors=log)


def _url_file(workspace: Workspace) -> Path:
    return server_home(workspace) / "serving"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _settings(home: Path, url: str) -> dict[str, str]:
    """Environment of the server; what somebody has set about the database or the page's address stays."""
    chosen = {
        DATABASE: f"sqlite+aiosqlite:///{home / 'prefect.db'}",
        "PREFECT_SERVER_UI_API_URL": url,
    }
    return {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": url,
        "PREFECT_CLI_PROMPT": "false",
        # In memory, a restart would forget who holds the GPU and never give it back.
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        **{name: os.environ.get(name) or value for name, value in chosen.items()},
    }


def _wait_until_ready(failed: Callable[[], bool], url: str, log: Path) -> None:
    until = time.monotonic() + START_TIMEOUT
    while not is_reachable(url, 1.0):
        if failed() or time.monotonic() > until:
            remedy = f"See {os.path.relpath(log)}, or start one by hand and set PREFECT_API_URL."
            raise TryOnError("Prefect server", expected=f"answers within {START_TIMEOUT:.0f} s", hint=remedy)
        time.sleep(0.1)
