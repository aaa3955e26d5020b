"""`python -m flows.serve`: run a Prefect server and the deployments until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from contextlib import ExitStack

from flows.deployments import WATCH_INTERVAL, WatchSchedule, build_deployments
from flows.prefect_server import PORT, ServerSupervisor, server_home, serving_url, uses_project_database
from flows.stage_command import QUIET_LOGGING_ENV
from tasks.prefect_api import API_URL_ENV, api_url, send_heartbeats
from tasks.subprocesses import RUNNER
from tryon.console import log_line, run_cli
from tryon.errors import TryOnError
from tryon.workspace import Workspace


def main(arguments: list[str] | None = None) -> int:
    """Serve the project in the current directory and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m flows.serve", description="Serve deployments and Prefect's UI.")
    when = parser.add_mutually_exclusive_group()
    when.add_argument(
        "--watch-every", type=float, metavar="MINUTES", help=f"check the data source this often ({WATCH_INTERVAL:g})"
    )
    when.add_argument(
        "--watch-cron", metavar="CRON", help='check the data source at these times (UTC), for example "0 3 * * *"'
    )
    when.add_argument("--no-watch", action="store_true", help="do not check the data source on a schedule")
    parser.add_argument("--port", type=int, default=PORT, help=f"port of the server ({PORT})")
    options = parser.parse_args(arguments)

    def work() -> None:
        minutes = WATCH_INTERVAL if options.watch_every is None else options.watch_every
        watch = WatchSchedule(None) if options.no_watch else WatchSchedule(minutes, options.watch_cron)
        watch.validate()
        serve(watch, options.port)

    return run_cli(work)


def serve(watch: WatchSchedule, port: int = PORT) -> None:
    """Serve until stopped, with the server of PREFECT_API_URL or `port` if one answers, else with a new one.

    Raises:
        TryOnError: PREFECT_API_URL does not answer, the port is in use, the server does not start, or this project is
            already being served.
    """
    workspace = Workspace()
    if url := serving_url(workspace):
        raise TryOnError(
            f"{workspace.root.resolve()} is already being served at {url}",
            hint="Stop that server first, or wait until it has finished.",
        )
    with ExitStack() as stack:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs start with SIGINT ignored
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        url = api_url(f"http://127.0.0.1:{port}/api")
        owns_server = url is None and uses_project_database()
        if url is None:
            log_line("Starting a Prefect server.")
            url = stack.enter_context(ServerSupervisor(workspace, port, _watch_running)).url
        os.environ.setdefault("PREFECT_HOME", str(server_home(workspace)))
        os.environ.update({API_URL_ENV: url, RUNNER: str(os.getpid()), **QUIET_LOGGING_ENV})
        send_heartbeats()
        _run(watch, url.removesuffix("/api"), owns_server)


def _run(watch: WatchSchedule, page: str, owns_server: bool) -> None:
    from flows.runner import serve_deployments
    from tasks.crashed_runs import arm_heartbeat_watch, cancel_running, ensure_automation, mark_orphans_crashed
    from tasks.gpu_limit import ensure_limit

    ensure_limit()
    ensure_automation()
    if owns_server:
        mark_orphans_crashed()
    arm_heartbeat_watch()
    deployments = build_deployments(watch)
    ready = f"Serving {len(deployments)} deployments at {page}; press Ctrl-C to stop."
    try:
        asyncio.run(serve_deployments(deployments, lambda: log_line(ready)))
    except KeyboardInterrupt:
        log_line("Stopping.")
    if owns_server:
        cancel_running()


def _watch_running() -> None:
    from tasks.crashed_runs import arm_heartbeat_watch

    arm_heartbeat_watch()


if __name__ == "__main__":
    raise SystemExit(main())
