"""`python -m flows.serve`: a Prefect server, what it needs, and the deployments, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import os
import signal
from contextlib import ExitStack

from flows.deployments import WATCH_EVERY, WatchSchedule, build_deployments
from flows.prefect_server import PORT, ServerSupervisor, server_home, serving_url, uses_project_database
from flows.stage_command import QUIET_LOGGING_ENV
from tasks.prefect_api import API_URL_ENV, api_url, send_heartbeats
from tasks.subprocesses import RUNNER
from tryon.console import log_line, run_cli
from tryon.errors import TryOnError
from tryon.workspace import Workspace


def main(arguments: list[str] | None = None) -> int:
    """Serve the project in the current directory; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m flows.serve", description="Serve the deployments and their page.")
    when = parser.add_mutually_exclusive_group()
    when.add_argument("--watch-every", type=float, metavar="MINUTES", help=f"look for new data ({WATCH_EVERY:g})")
    when.add_argument("--watch-cron", metavar="CRON", help='look for new data at these times: "0 3 * * *"')
    when.add_argument("--no-watch", action="store_true", help="look for new data only when told to")
    parser.add_argument("--port", type=int, default=PORT, help=f"where the server listens ({PORT})")
    chosen = parser.parse_args(arguments)
    return run_cli(lambda: serve(_schedule(chosen), chosen.port))


def serve(watch: WatchSchedule, port: int = PORT) -> None:
    """Serve until stopped. A server that PREFECT_API_URL names, or that answers already, is used; else one is started.

    Raises:
        TryOnError: PREFECT_API_URL does not answer, the port is taken, the server does not come up, or this project is
            served already.
    """
    workspace = Workspace()
    if url := serving_url(workspace):
        rule, remedy = "has one Prefect server at a time", "Stop that one first, or wait until it has finished."
        raise TryOnError(str(workspace.root.resolve()), expected=rule, found=url, hint=remedy)
    with ExitStack() as stack:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job would ignore it
        signal.signal(signal.SIGTERM, _stop)
        url = api_url(f"http://127.0.0.1:{port}/api")
        alone = url is None and uses_project_database()
        if url is None:
            log_line("Starting a Prefect server.")
            url = stack.enter_context(ServerSupervisor(workspace, port, _watch_running)).url
        os.environ.setdefault("PREFECT_HOME", str(server_home(workspace)))
        os.environ.update({API_URL_ENV: url, RUNNER: str(os.getpid()), **QUIET_LOGGING_ENV})
        send_heartbeats()
        _prepare(alone)
        _run(watch, url.removesuffix("/api"))
        if alone:
            _cancel_running()


def _prepare(owns_server: bool) -> None:
    from tasks.crashed_runs import ensure_automation, mark_orphans_crashed
    from tasks.gpu_limit import ensure_limit

    ensure_limit()
    ensure_automation()
    if owns_server:
        mark_orphans_crashed()
    _watch_running()


def _cancel_running() -> None:
    from tasks.crashed_runs import cancel_running

    cancel_running()


def _watch_running() -> None:
    from tasks.crashed_runs import arm_heartbeat_watch

    arm_heartbeat_watch()


def _run(watch: WatchSchedule, page: str) -> None:
    import asyncio

    from flows.runner import serve_deployments

    deployments = build_deployments(watch)
    ready = f"Serving {len(deployments)} deployments at {page}; Ctrl-C stops."
    try:
        asyncio.run(serve_deployments(deployments, lambda: log_line(ready)))
    except KeyboardInterrupt:
        log_line("Stopping.")


def _schedule(chosen: argparse.Namespace) -> WatchSchedule:
    if chosen.no_watch:
        return WatchSchedule(None)
    every = WATCH_EVERY if chosen.watch_every is None else chosen.watch_every
    watch = WatchSchedule(every, chosen.watch_cron)
    watch.validate()
    return watch


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    raise SystemExit(main())
