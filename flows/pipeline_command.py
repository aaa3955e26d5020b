"""The pipeline from the command line: ask DVC first, find or start a Prefect server only if something is to be done."""

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
from tryon.console import format_duration, log_line, make_console, print_table, progress_bars, run_cli
from tryon.pipeline.external_inputs import refresh_inputs
from tryon.runtime.stage_result import Cell
from tryon.workspace import Workspace


def main(arguments: list[str] | None = None) -> int:
    """Run the pipeline of the project in the current directory; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m flows", description="Bring every stage up to date.")
    parser.add_argument("--force", action="append", default=[], metavar="STAGE", help="run it though nothing changed")
    parser.add_argument("--dry-run", action="store_true", help="only say what would run and why, or what is running")
    parser.add_argument(
        "--check-source", action="store_true", help="run if the source has changed and is as it was when last looked at"
    )
    chosen = parser.parse_args(arguments)
    work = check_source_once if chosen.check_source else lambda: run_pipeline(chosen.force, chosen.dry_run)
    try:
        return run_cli(work)
    except ChildFailedError as error:
        log_line(f"error: {error}")
        return 1


def run_pipeline(force: list[str], dry_run: bool) -> None:
    """Run what is out of date or forced, then say where the report is. While a run goes on, a dry run tells of it.

    Raises:
        TryOnError: a stage found something wrong, another pipeline is at work here, DVC is busy or refuses, or
            PREFECT_API_URL does not answer.
        ChildFailedError: a stage failed otherwise.
    """
    workspace = Workspace()
    if not dry_run:
        with project_lock(PIPELINE, "pipeline", workspace):
            _launch(workspace, force, dry_run)
    elif not report_active(workspace):
        _launch(workspace, force, dry_run)


def check_source_once() -> None:
    """Look at the source as `flows.watch` does, and run the pipeline here if it is to be run."""

    def start(_key: str) -> None:
        log_line("A run is started for the source as it is now.")
        run_pipeline([], dry_run=False)

    log_line(check_source(Workspace(), start))


def print_summary(workspace: Workspace) -> None:
    """Print the headline table and where the report is, if there is one, on standard output."""
    metrics, report = workspace.evaluation / "metrics.json", workspace.evaluation / "report.html"
    if not (metrics.is_file() and report.is_file()):
        return
    results = make_console(results=True)
    results.print("\nError inside the garment (L1, lower is better), the model beside two baselines:\n")
    print_table(summary_rows(json.loads(metrics.read_text())), results)
    results.print(f"\nReport: {report.resolve()}", soft_wrap=True)


def summary_rows(metrics: dict[str, Any]) -> list[dict[str, Cell]]:
    """Rows of the headline in the content of `metrics.json`: one per setting and category."""
    return [
        {"setting": setting, "category": category, **numbers}
        for setting, categories in metrics["summary"].items()
        for category, numbers in categories.items()
    ]


def _launch(workspace: Workspace, force: list[str], dry_run: bool) -> None:
    with ThreadPoolExecutor(1) as beside, progress_bars() as progress:
        early = beside.submit(outdated_stages)
        changed = refresh_inputs(workspace, progress=progress, write=not dry_run)
    # What DVC said meanwhile counts if nothing was written that it reads.
    stale = outdated_stages() if changed and not dry_run else early.result()
    if not (force or (dry_run and changed) or stale):
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
    since = time.monotonic()
    url = api_url()
    if url is None and API_URL_ENV not in os.environ:
        url = serving_url(workspace)  # on a port of its own; a second server would meet it in the database
    alone = url is None
    if url is None:
        # Ended at exit and not here: Prefect, imported later and so done earlier, sends its last words at exit.
        server = ExitStack()
        atexit.register(server.close)
        log_line("Starting a Prefect server for this run.")
        url = server.enter_context(temporary_server(workspace))
        os.environ["PREFECT_HOME"] = str(server_home(workspace))  # and nobody's own profile
    else:
        send_heartbeats()  # that server may look for them
    log_line(f"Prefect shows this run at {url.removesuffix('/api')}")
    os.environ.update({API_URL_ENV: url, **QUIET_LOGGING_ENV})
    with gc_paused():
        from prefect import tags

        from flows.pipeline import pipeline
        from tasks.crashed_runs import mark_orphans_crashed

    if alone and uses_project_database():
        mark_orphans_crashed()
    with tags(TAG):
        ran = pipeline(force=force, check_sources=False)
    log_line(f"\nDone: {len(ran)} stages in {format_duration(time.monotonic() - since)}.")
