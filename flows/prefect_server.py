"""Run the project's own Prefect server on loopback: for one run, or supervised while serving.

Its database is in the project, so every server started there shows all earlier runs.
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
PORT = 4200  # Prefect's default port
START_TIMEOUT = 120.0  # seconds for the server to answer; it takes about nine, more on its first start
DATABASE_ENV = "PREFECT_SERVER_DATABASE_CONNECTION_URL"

SINGLE_RUN_OPTIONS = ("--no-scheduler", "--no-late-runs")  # disables services that a single run does not need
SINGLE_RUN_ENV = {"PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false"}
"""Disables automations: a single run sends no heartbeats, so that of `make serve` would mark it as crashed."""


@contextmanager
def temporary_server(workspace: Workspace) -> Iterator[str]:
    """Start a server on a free port, yield the URL of its API, and stop it. Its output goes to `server.log`.

    Raises:
        TryOnError: it does not start, or the project has one already.
    """
    home = server_home(workspace)
    home.mkdir(parents=True, exist_ok=True)
    port = free_port()
    url = f"http://{HOST}:{port}/api"
    with _single_server_lock(workspace), (home / "server.log").open("wb") as log:
        server = _start(port, workspace, log.fileno(), SINGLE_RUN_OPTIONS, SINGLE_RUN_ENV)
        try:
            _wait_until_ready(lambda: server.poll() is not None, url, home / "server.log")
            yield url
        finally:
            terminate_group(server)


class ServerSupervisor:
    """Context manager that runs the server of `make serve` and restarts it when it dies.

    Args:
        workspace: the project.
        port: port to listen on.
        restarted: called whenever the server answers again after a restart.
    """

    def __init__(self, workspace: Workspace, port: int, restarted: Callable[[], object]) -> None:
        self.url = f"http://{HOST}:{port}/api"
        self._workspace, self._port, self._restarted = workspace, port, restarted
        self._stack = ExitStack()
        self._home = server_home(workspace)
        self._stopping = threading.Event()
        # All servers are started by this thread, because a child ends with the thread that started it.
        self._thread = threading.Thread(target=self._supervise, name="server supervisor", daemon=True)

    def __enter__(self) -> Self:
        """Start the server and wait until it answers; a TryOnError says why it cannot."""
        if not _port_is_free(self._port):
            raise TryOnError(
                f"port {self._port} is already in use",
                hint=f"Choose another one with --port, or set {API_URL_ENV} to use the Prefect server there.",
            )
        self._home.mkdir(parents=True, exist_ok=True)
        self._stack.enter_context(_single_server_lock(self._workspace))
        self._thread.start()
        try:
            _wait_until_ready(lambda: not self._thread.is_alive(), self.url, self._home / "server.log")
        except BaseException:
            self.__exit__()
            raise
        write_text(_url_file(self._workspace), f"{os.getpid()} {self.url}")
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the server."""
        _url_file(self._workspace).unlink(missing_ok=True)
        self._stopping.set()
        self._thread.join()
        self._stack.close()

    def _supervise(self) -> None:
        answered = False
        with (self._home / "server.log").open("ab") as log:
            while not self._stopping.is_set():
                child = _start(self._port, self._workspace, log.fileno())
                try:
                    answered = self._wait_until_exit(child, answered)
                finally:
                    terminate_group(child)
                if self._stopping.is_set() or not answered:
                    return
                log_line(f"The Prefect server exited with code {child.returncode}; restarting it.")
                self._stopping.wait(1.0)

    def _wait_until_exit(self, child: subprocess.Popen[bytes], is_restart: bool) -> bool:
        """Wait until a server exits; return whether it or an earlier one has answered."""
        answered = False
        while child.poll() is None and not self._stopping.wait(0.5):
            if not answered and is_reachable(self.url, 1.0):
                answered = True
                if is_restart:
                    try:
                        self._restarted()
                    except Exception as error:  # it may have died again; supervision goes on in any case
                        log_line(f"After the restart of the Prefect server: {error}")
        return is_restart or answered


def serving_url(workspace: Workspace) -> str | None:
    """Return the API of this project's `make serve`, or None if it does not answer."""
    try:
        process, url = _url_file(workspace).read_text().split()
        alive = is_running(int(process))  # if it was killed, another project may use the port
    except (OSError, ValueError):
        return None
    return url if alive and is_reachable(url, 1.0) else None


def server_home(workspace: Workspace) -> Path:
    """Return the server's PREFECT_HOME with its database and log."""
    return workspace.work_dir("prefect").resolve()


def uses_project_database() -> bool:
    """Return whether a server started here stores runs in the project and not in a shared database."""
    return not os.environ.get(DATABASE_ENV)


def free_port() -> int:
    """Return an unused TCP port of this machine."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def _port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


@contextmanager
def _single_server_lock(workspace: Workspace) -> Iterator[None]:
    """Allow one server per project, since two would share a database; wait for one that is stopping."""
    lock = FileLock(server_home(workspace) / "server.lock")
    try:
        lock.acquire(timeout=2 * TERM_TIMEOUT)
    except Timeout:
        raise TryOnError(
            f"a Prefect server is already running for {workspace.root.resolve()}",
            hint="Wait until it has finished, or stop it.",
        ) from None
    try:
        yield
    finally:
        lock.release()


def _start(
    port: int, workspace: Workspace, log: int, options: Sequence[str] = (), extra: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    listen = ["--host", HOST, "--port", str(port), "--analytics-off", "--log-level", "WARNING", *options]
    home, url = server_home(workspace), f"http://{HOST}:{port}/api"
    defaults = {DATABASE_ENV: f"sqlite+aiosqlite:///{home / 'prefect.db'}", "PREFECT_SERVER_UI_API_URL": url}
    settings = {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": url,
        "PREFECT_CLI_PROMPT": "false",
        # The default, in memory, would lose the lease on the GPU in a restart and never release it.
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        **{name: os.environ.get(name) or value for name, value in defaults.items()},
        **(extra or {}),
    }
    command = [sys.executable, "-m", "prefect", "server", "start", *listen]
    return spawn(command, workspace.root, settings, output=log, errors=log)


def _url_file(workspace: Workspace) -> Path:
    return server_home(workspace) / "serving"


def _wait_until_ready(failed: Callable[[], bool], url: str, log: Path) -> None:
    until = time.monotonic() + START_TIMEOUT
    while not is_reachable(url, 1.0):
        if failed() or time.monotonic() > until:
            raise TryOnError(
                f"the Prefect server did not start within {START_TIMEOUT:.0f} s",
                hint=f"See {os.path.relpath(log)}, or start a server by hand and set {API_URL_ENV}.",
            )
        time.sleep(0.1)
