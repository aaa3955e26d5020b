"""Spawn and terminate child processes, each in its own process group with this interpreter first on PATH."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tryon.child_process import exit_with_parent, new_process_group, signal_group

PARENT_TASK_RUN = "TRYON_PARENT_TASK_RUN_ID"
"""Environment variable: the task run that is the parent of a child process's flow run."""

FAILURE_FILE = "TRYON_FAILURE_FILE"
"""Environment variable: the file where a child writes the message of a `TryOnError` for its parent.

DVC runs between the pipeline and a stage and forwards neither messages nor exit codes."""

RUNNER = "TRYON_RUNNER"
"""Environment variable: the id of the process that serves the deployments and starts their flow runs."""

TERM_TIMEOUT = 15.0  # seconds between SIGTERM and SIGKILL of a process group


class ChildFailedError(Exception):
    """A child process failed with an error other than a `TryOnError`; its output shows which."""


def child_env(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment with `extra` and with this interpreter's folder first on PATH.

    `python` in `dvc.yaml` then runs this interpreter, whether or not its virtual environment is activated.
    """
    folder = str(Path(sys.executable).parent)
    others = [part for part in os.environ.get("PATH", os.defpath).split(os.pathsep) if part != folder]
    return {**os.environ, "PATH": os.pathsep.join([folder, *others]), **(extra or {})}


def spawn(
    command: Sequence[str],
    root: Path,
    extra: Mapping[str, str] | None = None,
    output: int | None = None,
    errors: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command` in a new process group. It ends with this process, even if that is killed.

    Args:
        command: the program, found on PATH, and its arguments.
        root: its working directory.
        extra: additional environment variables.
        output: file descriptor for its standard output; by default that of this process.
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
    """In a flow run started by a served deployment, exit when the serving process dies."""
    if os.environ.get(RUNNER) == str(os.getppid()):
        exit_with_parent()


def wait_or_kill(child: subprocess.Popen[bytes]) -> int:
    """Wait for a child and return its exit code; if interrupted, terminate its process group."""
    try:
        return child.wait()
    except BaseException:
        terminate_group(child)
        raise


def terminate_group(child: subprocess.Popen[bytes]) -> None:
    """Terminate a child and its descendants: SIGTERM, then SIGKILL after `TERM_TIMEOUT`."""
    signal_group(child, signal.SIGTERM)
    try:
        child.wait(TERM_TIMEOUT)
    except subprocess.TimeoutExpired:
        pass
    finally:
        signal_group(child, signal.SIGKILL)
        child.wait()
