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

from flows.fast_import import gc_paused
from tasks.experiment_checkout import link_shared_data
from tasks.input_guard import assert_inputs_unchanged
from tasks.prefect_api import API_URL_ENV, api_url, send_heartbeats
from tasks.project_lock import project_lock
from tasks.subprocesses import FAILURE_FILE, PARENT_TASK_RUN
from tryon.categories import Category
from tryon.child_process import exit_with_parent
from tryon.console import log_line, print_result, run_cli
from tryon.errors import EXIT_CODE, TryOnError
from tryon.pipeline.stages import PER_CATEGORY, STAGES
from tryon.runtime.atomic_files import translate_os_errors
from tryon.workspace import Workspace

QUIET_LOGGING_ENV = {"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL"}
"""Keeps Prefect's log lines in Prefect: the terminal shows progress, summaries and messages."""


def main(arguments: list[str] | None = None) -> int:
    """Run the stage that the arguments name; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m flows.stage_command", description="Run one stage of dvc.yaml.")
    parser.add_argument("stage", choices=list(STAGES))
    parser.add_argument("category", nargs="?", type=Category, choices=list(Category))
    chosen = parser.parse_args(arguments)
    exit_with_parent()
    return run_cli(lambda: _run_and_forward_error(chosen.stage, chosen.category))


def run(stage: str, category: Category | None) -> None:
    """Run one stage of the project in the current directory, as a flow if there is an API, one at a time.

    Raises:
        TryOnError: whatever the stage finds wrong, its inputs were edited meanwhile, or PREFECT_API_URL is set and does
            not answer.
    """
    url = api_url()
    name = stage if category is None else f"{stage}@{category}"
    link_shared_data(stage, Workspace())
    # One that was killed may still be ending: it is waited for.
    with project_lock(f"stage-{name}", f"stage {name}", on_wait=log_line):
        if url is None:
            from tryon.cli import run as run_plainly

            with assert_inputs_unchanged(stage, category):
                run_plainly(stage, Path(), category)
        else:
            os.environ.update({API_URL_ENV: url, **QUIET_LOGGING_ENV})
            if PARENT_TASK_RUN not in os.environ:  # by itself; else its parent has settled it
                send_heartbeats()
            _run_as_flow(stage, category)


def _run_as_flow(stage: str, category: Category | None) -> None:
    with gc_paused():
        from flows.subflow import run_as_subflow

        flow = getattr(import_module("flows.agnostic" if stage in PER_CATEGORY else "flows.stages"), stage)
    parameters: dict[str, Any] = {} if category is None else {"category": category}
    since = time.monotonic()
    print_result(run_as_subflow(flow, parameters, assert_inputs_unchanged(stage, category)), time.monotonic() - since)


def _run_and_forward_error(stage: str, category: Category | None) -> None:
    file = os.environ.get(FAILURE_FILE)
    try:
        with translate_os_errors():
            run(stage, category)
    except TryOnError as error:
        if file is None:
            raise
        Path(file).write_text(str(error))
        raise SystemExit(EXIT_CODE) from None


if __name__ == "__main__":
    raise SystemExit(main())
