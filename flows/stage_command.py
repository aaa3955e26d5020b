"""`python -m flows.stage_command <stage> [category]`: the command of every stage in `dvc.yaml`.

With a Prefect API it runs the stage's flow, else it calls the library without importing Prefect; the output is equal.
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
"""Silences Prefect's log on the terminal, which shows progress, results and messages."""


def main(arguments: list[str] | None = None) -> int:
    """Run the stage named by the arguments and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m flows.stage_command", description="Run one stage of dvc.yaml.")
    parser.add_argument("stage", choices=list(STAGES))
    parser.add_argument("category", nargs="?", type=Category, choices=list(Category))
    options = parser.parse_args(arguments)
    exit_with_parent()
    return run_cli(lambda: _run_and_forward_error(options.stage, options.category))


def run(stage: str, category: Category | None) -> None:
    """Run one stage of the project in the current directory, as a flow if there is an API.

    Raises:
        TryOnError: the stage failed, its inputs were edited meanwhile, or PREFECT_API_URL does not answer.
    """
    url = api_url()
    name = stage if category is None else f"{stage}@{category}"
    link_shared_data(stage, Workspace())
    # Waits for a killed process of this stage that is still ending.
    with project_lock(f"stage-{name}", f"stage {name}", on_wait=log_line):
        if url is None:
            from tryon.cli import run as run_in_process

            with assert_inputs_unchanged(stage, category):
                run_in_process(stage, Path(), category)
        else:
            os.environ.update({API_URL_ENV: url, **QUIET_LOGGING_ENV})
            if PARENT_TASK_RUN not in os.environ:  # otherwise the parent decides
                send_heartbeats()
            _run_as_flow(stage, category)


def _run_as_flow(stage: str, category: Category | None) -> None:
    with gc_paused():
        from flows.subflow import run_as_subflow

        flow = getattr(import_module("flows.agnostic" if stage in PER_CATEGORY else "flows.stage_flows"), stage)
    parameters: dict[str, Any] = {} if category is None else {"category": category}
    start = time.monotonic()
    result = run_as_subflow(flow, parameters, assert_inputs_unchanged(stage, category))
    print_result(result, time.monotonic() - start)


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
