"""Has the source changed, and is it whole? What is known from one look to the next lies in `data/staging/watch.json`.

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

from tasks.project_lock import PIPELINE, AtWorkError, holder_of, holding
from tryon.config.parameters import load_parameters
from tryon.console import shown_progress
from tryon.download.fingerprint import fingerprint, noted_fingerprint
from tryon.runtime.atomic_files import digest, write_json
from tryon.workspace import Workspace

WATCH = "watch"
"""Name of the lock that keeps two looks apart."""


@dataclass(frozen=True)
class Memory:
    """What one look leaves for the next.

    Args:
        name: of this memory; with `turn` and the state of the source it makes up the key of a run.
        turn: counts what has been dealt with, so that a source that goes back to an earlier state gets a new run.
        seen: state of the source that no pipeline has seen yet.
        ticks: how often it was seen in a row.
        looked: when that was last, in seconds since 1970.
        started: the state that a run was started for, until a pipeline has noted it.
        again: the state for which a second run was started, as the first did not end well.
    """

    name: str
    turn: int = 0
    seen: str | None = None
    ticks: int = 0
    looked: float = 0.0
    started: str | None = None
    again: str | None = None


def tick(workspace: Workspace, start: Callable[[str], object], quiet_ticks: int = 2, apart: float = 0.0) -> str:
    """Look at the source once; if it has changed and come to rest, have one run started.

    Args:
        workspace: the project.
        start: starts a run of the pipeline. It is given a key: asked again with the same one, after a crash between
            the start and our noting it, it must not start another.
        quiet_ticks: looks in a row at which the source must be the same, this one included.
        apart: seconds; looks that are nearer to each other are one.

    Returns:
        What was found and done, in a sentence.

    Raises:
        SourceError: the source cannot be looked at. What is remembered stays as it was.
    """
    try:
        with holding(WATCH, "watch", workspace):
            return _look(workspace, start, quiet_ticks, apart)
    except AtWorkError as error:  # at watching, or with a pipeline that began this moment
        return f"Nothing was started. {error}"


def _look(workspace: Workspace, start: Callable[[str], object], quiet_ticks: int, apart: float) -> str:
    source = load_parameters(workspace.params_file).download
    with shown_progress() as progress:
        now = fingerprint(source, workspace, progress)
    memory, running = _remembered(workspace), holder_of(PIPELINE, workspace)
    going_on = f" Running: {running}." if running else ""
    state = digest(now)
    if noted_fingerprint(workspace) == now:
        if memory.seen or memory.started:
            memory = Memory(memory.name, memory.turn + 1, again=memory.again)
            _remember(workspace, memory)
        if running or _finished(workspace) == state:
            return f"The source is as it was.{going_on}"
        return _start_again(workspace, start, memory, state)
    if state == memory.started:
        return f"The source has changed; a run was started for it and has not looked at it yet.{going_on}"
    same, looked = state == memory.seen, time.time()
    if not same or abs(looked - memory.looked) >= apart:
        memory = replace(memory, seen=state, ticks=memory.ticks + 1 if same else 1, looked=looked)
        _remember(workspace, memory)  # before anything is started: the key must be the same after a crash
    if memory.ticks < quiet_ticks:
        return f"The source has changed; seen so {memory.ticks} of {quiet_ticks} times.{going_on}"
    if running:
        return f"The source has changed; a run is started when the one that goes on has ended.{going_on}"
    start(digest([memory.name, memory.turn, state]))
    _remember(workspace, Memory(memory.name, memory.turn + 1, started=state))
    return "The source has changed and come to rest; a run was started."


def _start_again(workspace: Workspace, start: Callable[[str], object], memory: Memory, state: str) -> str:
    """Take up what was not brought to an end, once: what fails twice needs somebody to look at it."""
    if memory.again == state:
        return "The source is as it was, but no run on it has ended well: see why, then start one yourself."
    start(digest([memory.name, memory.turn, state, "again"]))
    _remember(workspace, Memory(memory.name, memory.turn + 1, again=state))
    return "The source is as it was, but no run on it has ended well; one was started again."


def note_finished(workspace: Workspace) -> None:
    """Note that everything is up to date with the source that the pipeline noted at its start."""
    write_json(_finish(workspace), {"source": digest(noted_fingerprint(workspace))})


def _finished(workspace: Workspace) -> str | None:
    try:
        return json.loads(_finish(workspace).read_text())["source"]
    except (OSError, ValueError, TypeError, KeyError):  # none has ended, or it is not ours
        return None


def _finish(workspace: Workspace) -> Path:
    return workspace.staging("finished.json")


def _remembered(workspace: Workspace) -> Memory:
    try:
        return Memory(**json.loads(_file(workspace).read_text()))
    except (OSError, ValueError, TypeError):  # not there, or not ours
        return Memory(uuid.uuid4().hex)


def _remember(workspace: Workspace, memory: Memory) -> None:
    write_json(_file(workspace), asdict(memory))


def _file(workspace: Workspace) -> Path:
    return workspace.staging("watch.json")
