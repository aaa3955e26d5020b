"""Has the source changed, and is it whole? What is known from one look to the next lies in `data/work/watch.json`.

A source that has just changed may still be being copied. So a run is started only when the source was the same at so
many looks in a row, and once for each state of it. A run that does not end well, for the machine was switched off or a
stage failed, is started again, once. DVC is not asked: a stage may be running.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tasks.project_lock import PIPELINE, ProjectBusyError, lock_holder, project_lock
from tryon.config.parameters import load_parameters
from tryon.console import progress_bars
from tryon.download.fingerprint import fingerprint, recorded_fingerprint
from tryon.runtime.atomic_files import short_hash, write_json
from tryon.workspace import Workspace

WATCH = "watch"
"""Name of the lock that keeps two looks apart."""


@dataclass(frozen=True)
class WatchState:
    """What one look leaves for the next.

    Args:
        name: of this memory; with `turn` and the state of the source it makes up the key of a run.
        generation: counts what has been dealt with, so that a source that goes back to an earlier state gets a new run.
        last_fingerprint: state of the source that no pipeline has seen yet.
        stable_count: how often it was seen in a row.
        checked_at: when that was last, in seconds since 1970.
        started: the state that a run was started for, until a pipeline has noted it.
        retried: the state for which a second run was started, as the first did not end well.
    """

    name: str
    generation: int = 0
    last_fingerprint: str | None = None
    stable_count: int = 0
    checked_at: float = 0.0
    started: str | None = None
    retried: str | None = None


def check_source(
    workspace: Workspace, start: Callable[[str], object], stable_checks: int = 2, min_interval_seconds: float = 0.0
) -> str:
    """Look at the source once; if it has changed and come to rest, have one run started.

    Args:
        workspace: the project.
        start: starts a run of the pipeline. It is given a key: asked again with the same one, after a crash between
            the start and our noting it, it must not start another.
        stable_checks: looks in a row at which the source must be the same, this one included.
        min_interval_seconds: seconds; looks that are nearer to each other are one.

    Returns:
        What was found and done, in a sentence.

    Raises:
        SourceError: the source cannot be looked at. What is remembered stays as it was.
    """
    try:
        with project_lock(WATCH, "watch", workspace):
            return _check_source(workspace, start, stable_checks, min_interval_seconds)
    except ProjectBusyError as error:  # at watching, or with a pipeline that began this moment
        return f"Nothing was started. {error}"


def _check_source(
    workspace: Workspace, start: Callable[[str], object], stable_checks: int, min_interval_seconds: float
) -> str:
    source = load_parameters(workspace.params_file).download
    with progress_bars() as progress:
        now = fingerprint(source, workspace, progress)
    memory, running = _read_state(workspace), lock_holder(PIPELINE, workspace)
    going_on = f" Running: {running}." if running else ""
    state = short_hash(now)
    if recorded_fingerprint(workspace) == now:
        if memory.last_fingerprint or memory.started:
            memory = WatchState(memory.name, memory.generation + 1, retried=memory.retried)
            _write_state(workspace, memory)
        if running or _finished(workspace) == state:
            return f"The source is as it was.{going_on}"
        return _retry_failed_run(workspace, start, memory, state)
    if state == memory.started:
        return f"The source has changed; a run was started for it and has not looked at it yet.{going_on}"
    same, looked = state == memory.last_fingerprint, time.time()
    if not same or abs(looked - memory.checked_at) >= min_interval_seconds:
        memory = replace(
            memory, last_fingerprint=state, stable_count=memory.stable_count + 1 if same else 1, checked_at=looked
        )
        _write_state(workspace, memory)  # before anything is started: the key must be the same after a crash
    if memory.stable_count < stable_checks:
        return f"The source has changed; seen so {memory.stable_count} of {stable_checks} times.{going_on}"
    if running:
        return f"The source has changed; a run is started when the one that goes on has ended.{going_on}"
    start(short_hash([memory.name, memory.generation, state]))
    _write_state(workspace, WatchState(memory.name, memory.generation + 1, started=state))
    return "The source has changed and come to rest; a run was started."


def _retry_failed_run(workspace: Workspace, start: Callable[[str], object], memory: WatchState, state: str) -> str:
    """Take up what was not brought to an end, once: what fails twice needs somebody to look at it."""
    if memory.retried == state:
        return "The source is as it was, but no run on it has ended well: see why, then start one yourself."
    start(short_hash([memory.name, memory.generation, state, "again"]))
    _write_state(workspace, WatchState(memory.name, memory.generation + 1, retried=state))
    return "The source is as it was, but no run on it has ended well; one was started again."


def record_success(workspace: Workspace) -> None:
    """Note that everything is up to date with the source that the pipeline noted at its start."""
    write_json(_finish(workspace), {"source": short_hash(recorded_fingerprint(workspace))})


def _finished(workspace: Workspace) -> str | None:
    try:
        return json.loads(_finish(workspace).read_text())["source"]
    except (OSError, ValueError, TypeError, KeyError):  # none has ended, or it is not ours
        return None


def _finish(workspace: Workspace) -> Path:
    return workspace.work_dir("finished.json")


def _read_state(workspace: Workspace) -> WatchState:
    try:
        return WatchState(**json.loads(_file(workspace).read_text()))
    except (OSError, ValueError, TypeError):  # not there, or not ours
        return WatchState(uuid.uuid4().hex)


def _write_state(workspace: Workspace, memory: WatchState) -> None:
    write_json(_file(workspace), asdict(memory))


def _file(workspace: Workspace) -> Path:
    return workspace.work_dir("watch.json")
