"""One at a time: who runs the pipeline or a stage here, and what somebody who wants to as well is told.

The lock is the operating system's, on a file, and goes with its process however that ends: the dead keep nobody out.
Who holds it stands beside it, for people.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from tryon.console import log_line
from tryon.errors import TryOnError, format_list
from tryon.runtime.atomic_files import write_json
from tryon.workspace import Workspace

HERE = Workspace()
PIPELINE = "pipeline"
"""Name of the lock that a pipeline holds from its first look at the inputs to its last stage."""

ACQUIRE_TIMEOUT = 1.0
"""Seconds in which to get a free lock: somebody may hold it for a moment to see whether it is free."""

POLL_INTERVAL = 2.0
"""Seconds between two looks at a lock that is waited for."""


class ProjectBusyError(TryOnError):
    """Somebody else is doing this here."""


@contextmanager
def project_lock(
    name: str, what: str, workspace: Workspace = HERE, wait: Callable[[str], object] | None = None
) -> Iterator[None]:
    """Hold the lock `name` of a project. Within one process it may be held again inside.

    Args:
        name: of the lock, a file name.
        what: its holder is doing, as others are told it.
        workspace: the project.
        wait: for whoever holds it, who is told to this function first; without one, that is an error.

    Raises:
        AtWorkError: another process holds it.
    """
    lock = _lock(name, workspace)
    again = lock.is_locked
    _acquire(lock, name, workspace, wait)
    note = _holder_file(name, workspace)
    try:
        if not again:
            since = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
            write_json(note, {"what": what, "pid": os.getpid(), "since": since})
        yield
    finally:
        if not again:
            note.unlink(missing_ok=True)
        lock.release()


def active_processes(workspace: Workspace = HERE) -> list[str]:
    """What other processes are doing in a project, one line each: "pipeline (process 4711 since …)"."""
    names = sorted(path.stem for path in _folder(workspace).glob("*.lock"))
    return [holder for name in names if (holder := lock_holder(name, workspace))]


def lock_holder(name: str, workspace: Workspace = HERE) -> str | None:
    """Who holds a lock, in words; None if nobody does, or this process."""
    if not _lock_file(name, workspace).exists():
        return None
    lock = _lock(name, workspace)
    if lock.is_locked:
        return None
    try:
        with lock.acquire(timeout=0):
            return None
    except Timeout:
        return _describe_holder(name, workspace)


def report_active(workspace: Workspace = HERE) -> bool:
    """Whether other processes are at work in a project; each is told as running."""
    holders = active_processes(workspace)
    for holder in holders:
        log_line(f"running: {holder}")
    return bool(holders)


def _acquire(lock: FileLock, name: str, workspace: Workspace, wait: Callable[[str], object] | None) -> None:
    try:
        lock.acquire(timeout=ACQUIRE_TIMEOUT)
        return
    except Timeout:
        holders = active_processes(workspace) or [_describe_holder(name, workspace)]
        if wait is None:
            remedy = "Wait until it has finished, or stop it. `python -m flows --dry-run` says what is running."
            raise ProjectBusyError(
                f"{name} in {workspace.root.resolve()}",
                expected=f"is free, but at work is {format_list(holders)}",
                hint=remedy,
            ) from None
    wait(f"Waiting for {format_list(holders)}.")
    lock.acquire(poll_interval=POLL_INTERVAL)


def _lock(name: str, workspace: Workspace) -> FileLock:
    file = _lock_file(name, workspace)
    file.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(file.resolve(), thread_local=False, is_singleton=True)


def _describe_holder(name: str, workspace: Workspace) -> str:
    try:
        note = json.loads(_holder_file(name, workspace).read_text())
        return f"{note['what']} (process {note['pid']} since {note['since']})"
    except (OSError, ValueError, KeyError):  # it has not said so yet
        return f"{name} (another process)"


def _lock_file(name: str, workspace: Workspace) -> Path:
    return _folder(workspace) / f"{name}.lock"


def _holder_file(name: str, workspace: Workspace) -> Path:
    return _folder(workspace) / f"{name}.json"


def _folder(workspace: Workspace) -> Path:
    return workspace.work_dir("running")
