"""Detect a changed data source and start one pipeline run for it. The state is kept in `data/work/watch.json`.

A source that just changed may still be copied, so a run starts only after several checks with the same fingerprint, and
once per fingerprint. A run that does not succeed, because a stage failed or the machine went down, is retried once. DVC
is not called, since a stage may be running.
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

WATCH = "watch"  # name of the lock that serializes checks


@dataclass(frozen=True)
class WatchState:
    """State between two checks.

    Args:
        name: random name; together with `generation` and the fingerprint it forms the key of a run.
        generation: number of changes handled, so that a source that returns to an earlier fingerprint gets a new run.
        last_fingerprint: fingerprint that no pipeline has read yet.
        stable_count: number of consecutive checks with it.
        checked_at: time of the last of them, in seconds since 1970.
        started: fingerprint for which a run was started, until a pipeline has recorded it.
        retried: fingerprint for which a failed run was retried.
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
    """Check the source once; if it has changed and is stable, start one run.

    Args:
        workspace: the project.
        start: starts a run of the pipeline for an idempotency key. It must not start a second run for the same key,
            which is passed again if this process crashes before it has recorded the start.
        stable_checks: number of consecutive checks with the same fingerprint, including this one.
        min_interval_seconds: checks less than this apart count as one.

    Returns:
        The result in one sentence.

    Raises:
        SourceError: the source cannot be read; the state is unchanged.
    """
    try:
        with project_lock(WATCH, "watch", workspace):
            return _check_source(workspace, start, stable_checks, min_interval_seconds)
    except ProjectBusyError as error:  # another check, or a pipeline that has just started
        return f"No run was started: {error}"


def _check_source(
    workspace: Workspace, start: Callable[[str], object], stable_checks: int, min_interval_seconds: float
) -> str:
    settings = load_parameters(workspace.params_file).download
    with progress_bars() as progress:
        content = fingerprint(settings, workspace, progress)
    state, holder = _read_state(workspace), lock_holder(PIPELINE, workspace)
    running = f" Running: {holder}." if holder else ""
    current = short_hash(content)
    if recorded_fingerprint(workspace) == content:
        if state.last_fingerprint or state.started:
            state = WatchState(state.name, state.generation + 1, retried=state.retried)
            _write_state(workspace, state)
        if holder or _last_success(workspace) == current:
            return f"Source unchanged.{running}"
        return _retry_failed_run(workspace, start, state, current)
    if current == state.started:
        return f"Source changed; the run started for it has not read it yet.{running}"
    same, now = current == state.last_fingerprint, time.time()
    if not same or abs(now - state.checked_at) >= min_interval_seconds:
        count = state.stable_count + 1 if same else 1
        state = replace(state, last_fingerprint=current, stable_count=count, checked_at=now)
        _write_state(workspace, state)  # before the start, so that the key is the same after a crash
    if state.stable_count < stable_checks:
        return f"Source changed; stable in {state.stable_count} of {stable_checks} checks.{running}"
    if holder:
        return f"Source changed; a run will be started after the current one.{running}"
    start(short_hash([state.name, state.generation, current]))
    _write_state(workspace, WatchState(state.name, state.generation + 1, started=current))
    return "Source changed and stable; a run was started."


def _retry_failed_run(workspace: Workspace, start: Callable[[str], object], state: WatchState, current: str) -> str:
    """Start a second run for a fingerprint; if that fails as well, leave it to the user."""
    if state.retried == current:
        return "Source unchanged, but its runs failed; fix the error, then start a run."
    start(short_hash([state.name, state.generation, current, "again"]))
    _write_state(workspace, WatchState(state.name, state.generation + 1, retried=current))
    return "Source unchanged, but its run failed; a second run was started."


def record_success(workspace: Workspace) -> None:
    """Record that all stages are up to date with the fingerprint that the pipeline recorded at its start."""
    write_json(_success_file(workspace), {"source": short_hash(recorded_fingerprint(workspace))})


def _last_success(workspace: Workspace) -> str | None:
    try:
        return json.loads(_success_file(workspace).read_text())["source"]
    except (OSError, ValueError, TypeError, KeyError):  # missing or invalid
        return None


def _success_file(workspace: Workspace) -> Path:
    return workspace.work_dir("finished.json")


def _read_state(workspace: Workspace) -> WatchState:
    try:
        return WatchState(**json.loads(_state_file(workspace).read_text()))
    except (OSError, ValueError, TypeError):  # missing or invalid
        return WatchState(uuid.uuid4().hex)


def _write_state(workspace: Workspace, state: WatchState) -> None:
    write_json(_state_file(workspace), asdict(state))


def _state_file(workspace: Workspace) -> Path:
    return workspace.work_dir("watch.json")
