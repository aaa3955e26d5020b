"""The task of the pipeline: one stage of `dvc.yaml`, run by DVC in a process of its own."""

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
    """Run one stage under its own name, after saying why. Returns the reasons in words."""
    why = format_list(reasons, 3)
    log_line(f"\n{stage} runs: {why}")
    run_stage_by_dvc.with_options(name=stage, task_run_name=stage)(stage, force)
    return why


@task(name="stage", cache_policy=NO_CACHE)
def run_stage_by_dvc(stage: str, force: bool = False) -> float:
    """Have DVC run one stage of the project in the current directory; the stage's flow run hangs under this task run.

    Returns:
        Seconds it took.

    Raises:
        TryOnError: what the stage found wrong, in the stage's own words.
        ChildFailedError: it failed otherwise.
    """
    since = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        message = Path(folder) / "message"
        code = repro_stage(stage, force=force, extra=_stage_env(message))
        if code and message.is_file():
            raise TryOnError(message.read_text())
    if code:
        raise ChildFailedError(f"stage {stage} failed; its output above says why (dvc repro ended with {code})")
    seconds = time.monotonic() - since
    get_run_logger().info("%s: done in %.1f s", stage, seconds)
    return seconds


def _stage_env(message: Path) -> dict[str, str]:
    """Environment of the stage's process: where the API is, which task run it belongs to, where a message goes."""
    context = TaskRunContext.get()
    url = get_current_settings().api.url
    return {
        FAILURE_FILE: os.fspath(message),
        **({PARENT_TASK_RUN: str(context.task_run.id)} if context else {}),
        **({API_URL_ENV: url} if url else {}),
    }
