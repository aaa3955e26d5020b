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

from flows.fast_import import without_collection
from flows.prefect_server import has_own_database, own_server, server_home, serving_url
from flows.stage_command import QUIET
from tasks.dvc_cli import due_stages, stage_order, stages_named, stale_stages, tell_plan
from tasks.prefect_api import TAG, VARIABLE, api_url, send_heartbeats
from tasks.project_lock import PIPELINE, holding, told_at_work
from tasks.source_watch import note_finished, tick
from tasks.subprocesses import ChildFailedError
from tryon.console import duration, ran_well, say, show_table, shown_progress, terminal
from tryon.pipeline.external_inputs import refresh_inputs
from tryon.runtime.stage_result import Cell
from tryon.workspace import Workspace


def main(arguments: list[str] | None = None) -> int:
    """Run the pipeline of the project in the current directory; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m flows", description="Bring every stage up to date.")
    parser.add_argument("--force", action="append", default=[], metavar="STAGE", help="run it though nothing changed")
    parser.add_argument("--dry-run", action="store_true", help="only say what would run and why, or what is running")
    parser.add_argument(
        "--watch", action="store_true", help="run if the source has changed and is as it was when last looked at"
    )
    chosen = parser.parse_args(arguments)
    work = watch_once if chosen.watch else lambda: launch(chosen.force, chosen.dry_run)
    try:
        return ran_well(work)
    except ChildFailedError as error:
        say(f"error: {error}")
        return 1


def launch(force: list[str], dry_run: bool) -> None:
    """Run what is out of date or forced, then say where the report is. While a run goes on, a dry run tells of it.

    Raises:
        TryOnError: a stage found something wrong, another pipeline is at work here, DVC is busy or refuses, or
            PREFECT_API_URL does not answer.
        ChildFailedError: a stage failed otherwise.
    """
    workspace = Workspace()
    if not dry_run:
        with holding(PIPELINE, "pipeline", workspace):
            _launch(workspace, force, dry_run)
    elif not told_at_work(workspace):
        _launch(workspace, force, dry_run)


def watch_once() -> None:
    """Look at the source as `flows.watch` does, and run the pipeline here if it is to be run."""

    def start(_key: str) -> None:
        say("A run is started for the source as it is now.")
        launch([], dry_run=False)

    say(tick(Workspace(), start))


def show_result(workspace: Workspace) -> None:
    """Print the headline table and where the report is, if there is one, on standard output."""
    metrics, report = workspace.evaluation / "metrics.json", workspace.evaluation / "report.html"
    if not (metrics.is_file() and report.is_file()):
        return
    results = terminal(results=True)
    results.print("\nError inside the garment (L1, lower is better), the model beside two baselines:\n")
    show_table(headline_rows(json.loads(metrics.read_text())), results)
    results.print(f"\nReport: {report.resolve()}", soft_wrap=True)


def headline_rows(metrics: dict[str, Any]) -> list[dict[str, Cell]]:
    """Rows of the headline in the content of `metrics.json`: one per setting and category."""
    return [
        {"setting": setting, "category": category, **numbers}
        for setting, categories in metrics["headline"].items()
        for category, numbers in categories.items()
    ]


def _launch(workspace: Workspace, force: list[str], dry_run: bool) -> None:
    with ThreadPoolExecutor(1) as beside, shown_progress() as progress:
        early = beside.submit(stale_stages)
        changed = refresh_inputs(workspace, progress=progress, write=not dry_run)
    # What DVC said meanwhile counts if nothing was written that it reads.
    stale = stale_stages() if changed and not dry_run else early.result()
    if not (force or (dry_run and changed) or stale):
        if not dry_run:
            note_finished(workspace)
        say("Nothing to do: every stage is up to date.")
        show_result(workspace)
        return
    order = stage_order()
    forced = stages_named(force, order)
    if dry_run:
        tell_plan(due_stages(order, forced, changed=changed))
        return
    _run(workspace, forced)
    show_result(workspace)


def _run(workspace: Workspace, force: list[str]) -> None:
    since = time.monotonic()
    url = api_url()
    if url is None and VARIABLE not in os.environ:
        url = serving_url(workspace)  # on a port of its own; a second server would meet it in the database
    alone = url is None
    if url is None:
        # Ended at exit and not here: Prefect, imported later and so done earlier, sends its last words at exit.
        server = ExitStack()
        atexit.register(server.close)
        say("Starting a Prefect server for this run.")
        url = server.enter_context(own_server(workspace))
        os.environ["PREFECT_HOME"] = str(server_home(workspace))  # and nobody's own profile
    else:
        send_heartbeats()  # that server may look for them
    say(f"Prefect shows this run at {url.removesuffix('/api')}")
    os.environ.update({VARIABLE: url, **QUIET})
    with without_collection():
        from prefect import tags

        from flows.pipeline import pipeline
        from tasks.crashed_runs import end_lost

    if alone and has_own_database():
        end_lost()
    with tags(TAG):
        ran = pipeline(force=force, look=False)
    say(f"\nDone: {len(ran)} stages in {duration(time.monotonic() - since)}.")
