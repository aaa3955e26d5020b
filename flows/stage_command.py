"""`python -m flows.stage_command <stage> [category]`: the command of every stage in `dvc.yaml`.

With a Prefect API it runs the stage's flow there, without one it calls the library: the same work, the same output.
Prefect is imported only if there is something to talk to.
"""

from __future__ import annotations

import argparse
import os
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from flows.fast_import import without_collection
from tasks.experiment_checkout import borrow
from tasks.input_guard import unchanged_inputs
from tasks.prefect_api import VARIABLE, api_url, send_heartbeats
from tasks.project_lock import holding
from tasks.subprocesses import FAILURE_FILE, PARENT_TASK_RUN
from tryon.categories import Category
from tryon.child_process import follow_parent
from tryon.console import ran_well, say, show_summary
from tryon.errors import EXIT_CODE, TryOnError
from tryon.pipeline.stages import STAGES
from tryon.runtime.atomic_files import disk_errors_told
from tryon.workspace import Workspace

QUIET = {"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL"}
"""Keeps Prefect's log lines in Prefect: the terminal shows progress, summaries and messages."""


def main(arguments: list[str] | None = None) -> int:
    """Run the stage that the arguments name; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m flows.stage_command", description="Run one stage of dvc.yaml.")
    parser.add_argument("stage", choices=list(STAGES))
    parser.add_argument("category", nargs="?", type=Category, choices=list(Category))
    chosen = parser.parse_args(arguments)
    follow_parent()
    return ran_well(lambda: _noting_failure(chosen.stage, chosen.category))


def run(stage: str, category: Category | None) -> None:
    """Run one stage of the project in the current directory, as a flow if there is an API, one at a time.

    Raises:
        TryOnError: whatever the stage finds wrong, its inputs were edited meanwhile, or PREFECT_API_URL is set and does
            not answer.
    """
    url = api_url()
    name = stage if category is None else f"{stage}@{category}"
    borrow(stage, Workspace())
    # One that was killed may still be ending: it is waited for.
    with holding(f"stage-{name}", f"stage {name}", wait=say):
        if url is None:
            from tryon.cli import run as run_plainly

            with unchanged_inputs(stage, category):
                run_plainly(stage, Path(), category)
        else:
            os.environ.update({VARIABLE: url, **QUIET})
            if PARENT_TASK_RUN not in os.environ:  # by itself; else its parent has settled it
                send_heartbeats()
            _run_as_flow(stage, category)


def _run_as_flow(stage: str, category: Category | None) -> None:
    with without_collection():
        from flows.subflow import run_attached

        flow = getattr(import_module(f"flows.{stage}"), stage)
    parameters: dict[str, Any] = {} if category is None else {"category": category}
    since = time.monotonic()
    show_summary(run_attached(flow, parameters, unchanged_inputs(stage, category)), time.monotonic() - since)


def _noting_failure(stage: str, category: Category | None) -> None:
    file = os.environ.get(FAILURE_FILE)
    try:
        with disk_errors_told():
            run(stage, category)
    except TryOnError as error:
        if file is None:
            raise
        Path(file).write_text(str(error))
        raise SystemExit(EXIT_CODE) from None


if __name__ == "__main__":
    raise SystemExit(main())
