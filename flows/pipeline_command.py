"""`python -m flows`: run the pipeline; start a Prefect server only if a stage is outdated."""

from __future__ import annotations

import argparse
import atexit
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from flows.fast_import import gc_paused
from flows.prefect_server import server_home, serving_url, temporary_server, uses_project_database
from flows.stage_command import QUIET_LOGGING_ENV
from tasks.dvc_cli import outdated_stages, print_plan, resolve_stages, stage_order, stages_to_run
from tasks.prefect_api import API_URL_ENV, TAG, api_url, send_heartbeats
from tasks.project_lock import PIPELINE, project_lock, report_active
from tasks.source_watch import check_source, record_success
from tasks.subprocesses import ChildFailedError
from tryon.console import format_count, format_duration, log_line, make_console, print_table, progress_bars, run_cli
from tryon.pipeline.external_inputs import refresh_inputs
from tryon.runtime.stage_result import Cell
from tryon.workspace import Workspace


def main(arguments: list[str] | None = None) -> int:
    """Run the pipeline of the project in the current directory and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m flows", description="Bring all stages up to date.")
    parser.add_argument(
        "--force", action="append", default=[], metavar="STAGE", help="run this stage even if it is up to date"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="only report which stages would run and why, or what is running"
    )
    parser.add_argument(
        "--check-source",
        action="store_true",
        help="run if the data source has changed and is stable",
    )
    options = parser.parse_args(arguments)
    work = check_source_once if options.check_source else lambda: run_pipeline(options.force, options.dry_run)
    try:
        return run_cli(work)
    except ChildFailedError as error:
        log_line(f"error: {error}")
        return 1


def run_pipeline(force: list[str], dry_run: bool) -> None:
    """Run outdated and forced stages and print the results; with `dry_run`, print the plan or what is running.

    Raises:
        TryOnError: a stage failed, another pipeline is running, DVC failed, or PREFECT_API_URL does not answer.
        ChildFailedError: a stage failed otherwise.
    """
    workspace = Workspace()
    if not dry_run:
        with project_lock(PIPELINE, "pipeline", workspace):
            _run_if_outdated(workspace, force, dry_run)
    elif not report_active(workspace):
        _run_if_outdated(workspace, force, dry_run)


def check_source_once() -> None:
    """Check the source as `flows.watch` does, and run the pipeline in this process if needed."""

    def start(_key: str) -> None:
        log_line("Starting a run for the changed source.")
        run_pipeline([], dry_run=False)

    log_line(check_source(Workspace(), start))


def print_summary(workspace: Workspace) -> None:
    """Print the summary of `metrics.json` and the path of the report on standard output, if they exist."""
    metrics, report = workspace.evaluation / "metrics.json", workspace.evaluation / "report.html"
    if not (metrics.is_file() and report.is_file()):
        return
    results = make_console(results=True)
    results.print("\nL1 error inside the garment (lower is better), model and baselines:\n")
    print_table(summary_rows(json.loads(metrics.read_text())), results)
    results.print(f"\nReport: {report.resolve()}", soft_wrap=True)


def summary_rows(metrics: dict[str, Any]) -> list[dict[str, Cell]]:
    """Return the rows of the summary in `metrics.json`, one per setting and category."""
    return [
        {"setting": setting, "category": category, **numbers}
        for setting, categories in metrics["summary"].items()
        for category, numbers in categories.items()
    ]


def _run_if_outdated(workspace: Workspace, force: list[str], dry_run: bool) -> None:
    with ThreadPoolExecutor(1) as executor, progress_bars() as progress:
        status = executor.submit(outdated_stages)  # in parallel, as it takes seconds
        changed = refresh_inputs(workspace, progress=progress, write=not dry_run)
    outdated = outdated_stages() if changed and not dry_run else status.result()
    if not (force or (dry_run and changed) or outdated):
        if not dry_run:
            record_success(workspace)
        log_line("Nothing to do: every stage is up to date.")
        print_summary(workspace)
        return
    order = stage_order()
    forced = resolve_stages(force, order)
    if dry_run:
        print_plan(stages_to_run(order, forced, changed=changed))
        return
    _run(workspace, forced)
    print_summary(workspace)


def _run(workspace: Workspace, force: list[str]) -> None:
    start = time.monotonic()
    url = api_url()
    if url is None and API_URL_ENV not in os.environ:
        url = serving_url(workspace)  # on another port; a second server would share its database
    owns_server = url is None
    if url is None:
        # Stopped at exit: Prefect is imported later, so its exit handlers run earlier and still reach the server.
        server = ExitStack()
        atexit.register(server.close)
        log_line("Starting a Prefect server for this run.")
        url = server.enter_context(temporary_server(workspace))
        os.environ["PREFECT_HOME"] = str(server_home(workspace))  # instead of the user's profile
    else:
        send_heartbeats()  # that server may have the automation that expects them
    log_line(f"Prefect UI of this run: {url.removesuffix('/api')}")
    os.environ.update({API_URL_ENV: url, **QUIET_LOGGING_ENV})
    with gc_paused():
        from prefect import tags

        from flows.pipeline import pipeline
        from tasks.crashed_runs import mark_orphans_crashed

    if owns_server and uses_project_database():
        mark_orphans_crashed()
    with tags(TAG):
        stages = pipeline(force=force, check_sources=False)
    log_line(f"\nDone: {format_count(len(stages), 'stage')} in {format_duration(time.monotonic() - start)}.")
