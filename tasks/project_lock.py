"""Project-wide file locks, so that one pipeline and one run of each stage are active at a time.

The operating system releases a lock when its holder exits, so a killed process leaves no stale lock. A file next to the
lock describes the holder for messages.
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
PIPELINE = "pipeline"  # name of the lock that a pipeline holds from reading the inputs to its last stage
ACQUIRE_TIMEOUT = 1.0  # seconds to acquire a free lock, which another process may hold for a moment to test it
POLL_INTERVAL = 2.0  # seconds between two attempts to acquire a lock


class ProjectBusyError(TryOnError):
    """Another process holds the lock."""


@contextmanager
def project_lock(
    name: str, activity: str, workspace: Workspace = HERE, on_wait: Callable[[str], object] | None = None
) -> Iterator[None]:
    """Hold a lock of a project. It is reentrant within a process.

    Args:
        name: name of the lock and its file.
        activity: what the holder does, for messages.
        workspace: the project.
        on_wait: called with a message before waiting for the lock; None raises an error instead of waiting.

    Raises:
        ProjectBusyError: another process holds the lock, and `on_wait` is None.
    """
    lock = _lock(name, workspace)
    outermost = not lock.is_locked
    try:
        lock.acquire(timeout=ACQUIRE_TIMEOUT)
    except Timeout:
        holders = format_list(active_processes(workspace) or [_describe_holder(name, workspace)])
        if on_wait is None:
            raise ProjectBusyError(
                f"another process is active in {workspace.root.resolve()}: {holders}",
                hint="Wait until it has finished, or stop it. `python -m flows --dry-run` shows what is running.",
            ) from None
        on_wait(f"Waiting for {holders}.")
        lock.acquire(poll_interval=POLL_INTERVAL)
    holder = _holder_file(name, workspace)
    try:
        if outermost:
            since = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
            write_json(holder, {"what": activity, "pid": os.getpid(), "since": since})
        yield
    finally:
        if outermost:
            holder.unlink(missing_ok=True)
        lock.release()


def active_processes(workspace: Workspace = HERE) -> list[str]:
    """Describe the other processes that hold locks: "pipeline (process 4711 since …)"."""
    names = sorted(path.stem for path in _folder(workspace).glob("*.lock"))
    return [holder for name in names if (holder := lock_holder(name, workspace))]


def lock_holder(name: str, workspace: Workspace = HERE) -> str | None:
    """Describe the process that holds a lock; None if it is free or held by this process."""
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
    """Print the other active processes of a project; return whether there are any."""
    holders = active_processes(workspace)
    for holder in holders:
        log_line(f"running: {holder}")
    return bool(holders)


def _lock(name: str, workspace: Workspace) -> FileLock:
    file = _lock_file(name, workspace)
    file.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(file.resolve(), thread_local=False, is_singleton=True)


def _describe_holder(name: str, workspace: Workspace) -> str:
    try:
        holder = json.loads(_holder_file(name, workspace).read_text())
        return f"{holder['what']} (process {holder['pid']} since {holder['since']})"
    except (OSError, ValueError, KeyError):  # not written yet
        return f"{name} (another process)"


def _folder(workspace: Workspace) -> Path:
    return workspace.work_dir("running")


def _lock_file(name: str, workspace: Workspace) -> Path:
    return _folder(workspace) / f"{name}.lock"


def _holder_file(name: str, workspace: Workspace) -> Path:
    return _folder(workspace) / f"{name}.json"
