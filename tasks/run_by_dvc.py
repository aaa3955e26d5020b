"""The task of the pipeline: run one stage of `dvc.yaml` with DVC in a child process."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.context import TaskRunContext
from prefect.logging import get_run_logger
from prefect.settings import get_current_settings

from tasks.dvc_cli import repro_stage
from tasks.prefect_api import API_URL_ENV
from tasks.subprocesses import FAILURE_FILE, PARENT_TASK_RUN, ChildFailedError
from tryon.console import log_line
from tryon.errors import TryOnError, format_list


def run_stage_logged(stage: str, reasons: list[str], force: bool) -> str:
    """Run one stage as a task of its name, after logging the reasons; return them as text."""
    text = format_list(reasons, 3)
    log_line(f"\n{stage} runs: {text}")
    run_stage_by_dvc.with_options(name=stage, task_run_name=stage)(stage, force)
    return text


@task(name="stage", cache_policy=NO_CACHE)
def run_stage_by_dvc(stage: str, force: bool = False) -> float:
    """Run one stage of the project in the current directory; its flow run becomes a child of this task run.

    Returns:
        Duration in seconds.

    Raises:
        TryOnError: the stage failed with this message.
        ChildFailedError: it failed otherwise.
    """
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        message = Path(folder) / "message"
        code = repro_stage(stage, force=force, extra=_stage_env(message))
        if code and message.is_file():
            raise TryOnError(message.read_text())
    if code:
        raise ChildFailedError(f"stage {stage} failed; see its output above (exit code {code} of dvc repro)")
    seconds = time.monotonic() - start
    get_run_logger().info("%s: done in %.1f s", stage, seconds)
    return seconds


def _stage_env(message: Path) -> dict[str, str]:
    """Return the variables of the stage: file for an error message, parent task run, API."""
    context = TaskRunContext.get()
    url = get_current_settings().api.url
    return {
        FAILURE_FILE: os.fspath(message),
        **({PARENT_TASK_RUN: str(context.task_run.id)} if context else {}),
        **({API_URL_ENV: url} if url else {}),
    }
