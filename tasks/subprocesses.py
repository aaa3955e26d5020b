"""Child processes: with this interpreter first on PATH, in a process group of their own, never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tryon.child_process import exit_with_parent, new_process_group, signal_group

PARENT_TASK_RUN = "TRYON_PARENT_TASK_RUN_ID"
"""Environment variable: the task run that the flow of a child process belongs under."""

FAILURE_FILE = "TRYON_FAILURE_FILE"
"""Environment variable: where a child writes the message about a mistake of the user's, for its parent to print.

DVC stands between a stage and the pipeline and passes on neither messages nor exit codes."""

RUNNER = "TRYON_RUNNER"
"""Environment variable: the process whose children run the flows of deployments."""

TERM_TIMEOUT = 15.0
"""Seconds that a process group gets between SIGTERM and SIGKILL."""


class ChildFailedError(Exception):
    """A child process ended with an error that is no mistake of the user's; its own output says which."""


def child_env(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment with `extra`, and this interpreter's folder first on PATH.

    `python` in `dvc.yaml` is then the Python that runs this, whether its environment is activated or not.
    """
    own = str(Path(sys.executable).parent)
    path = [own, *(part for part in os.environ.get("PATH", os.defpath).split(os.pathsep) if part != own)]
    return {**os.environ, "PATH": os.pathsep.join(path), **(extra or {})}


def spawn(
    command: Sequence[str],
    root: Path,
    extra: Mapping[str, str] | None = None,
    output: int | None = None,
    errors: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command` in a process group of its own.

    It ends when this process does, however this one ends; see `tryon.child_process`.

    Args:
        command: the program, found on PATH, and its arguments.
        root: its current directory.
        extra: set in its environment.
        output: file descriptor that takes its standard output; by default it shares this process's.
        errors: the same for its standard error.
    """
    return subprocess.Popen(
        [sys.executable, "-m", "tryon.child_process", *command],
        cwd=root,
        env=child_env(extra),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        process_group=new_process_group(),
    )


def exit_with_runner() -> None:
    """In a flow run that a served deployment started: end when the process that serves it does, however it ends."""
    if os.environ.get(RUNNER) == str(os.getppid()):
        exit_with_parent()


def wait_or_kill(child: subprocess.Popen[bytes]) -> int:
    """Wait for a child and return its exit code; if the waiting is broken off, end its whole process group."""
    try:
        return child.wait()
    except BaseException:
        terminate_group(child)
        raise


def terminate_group(child: subprocess.Popen[bytes]) -> None:
    """End a child and all that it started: SIGTERM, then SIGKILL for what is left."""
    signal_group(child, signal.SIGTERM)
    try:
        child.wait(TERM_TIMEOUT)
    except subprocess.TimeoutExpired:
        pass
    finally:
        signal_group(child, signal.SIGKILL)
        child.wait()
