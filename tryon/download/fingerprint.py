"""Which state a source is in: `data/source.json`, tracked by git, is how a changed source is noticed."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

from tryon.config.download import DownloadSettings
from tryon.download.containers import FolderContainer
from tryon.download.fetch import SYNTHETIC, find_truth_archive, locate
from tryon.download.members import Member
from tryon.errors import MissingInputError
from tryon.runtime.atomic_files import short_hash, write_json
from tryon.runtime.progress import Progress, no_progress
from tryon.workspace import Workspace


def fingerprint(settings: DownloadSettings, workspace: Workspace, progress: Progress = no_progress) -> dict[str, Any]:
    """Names, sizes and times of the source's files, without reading them.

    An archive is one entry. A folder has one entry for each category and each file beside them, however many files
    there are below. `progress` is told folders.

    Raises:
        SourceError: the source is missing or of a kind that cannot be read.
    """
    if settings.source == SYNTHETIC:
        return {"source": SYNTHETIC}
    path = locate(settings, workspace)
    truth = find_truth_archive(path)
    return {"source": settings.source, "files": {part.name: _state(part, progress) for part in (path, truth) if part}}


def write_fingerprint(
    workspace: Workspace, settings: DownloadSettings, progress: Progress = no_progress, write: bool = True
) -> bool:
    """Bring `data/source.json` up to date, or only compare when not to `write`.

    Returns:
        Whether the source has changed since it was noted.
    """
    state = fingerprint(settings, workspace, progress)
    changed = recorded_fingerprint(workspace) != state
    if changed and write:
        write_json(workspace.source_file, state)
    return changed


def check_fingerprint(workspace: Workspace, settings: DownloadSettings, progress: Progress = no_progress) -> None:
    """Make sure that `data/source.json` describes the source as it is now.

    Raises:
        MissingInputError: it is absent, or the source has changed since.
    """
    noted = recorded_fingerprint(workspace)
    if noted != fingerprint(settings, workspace, progress):
        rule = f"describes the source {settings.source} as it is now"
        found = "an earlier or another state" if noted else "no such file, or not JSON"
        remedy = "Run `tryon refresh-inputs`, then this again."
        raise MissingInputError(str(workspace.source_file), expected=rule, found=found, hint=remedy)


def recorded_fingerprint(workspace: Workspace) -> Any:
    """Content of `data/source.json`: the source as the last pipeline saw it; None where there is no such file."""
    try:
        return json.loads(workspace.source_file.read_text())
    except (OSError, ValueError):
        return None


def _state(path: Path, progress: Progress) -> dict[str, Any]:
    if not path.is_dir():
        facts = path.stat()
        return {"bytes": facts.st_size, "mtime_ns": facts.st_mtime_ns}
    with _uncollected():
        members = FolderContainer(path).members(progress)  # sorted, so that all of a folder stand together
        parts = groupby(members, lambda member: member.target.split("/")[0])
        return {top: _merkle_digest(list(part)) for top, part in parts}


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the garbage collector, which would look at every member again and again: a fifth of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _merkle_digest(members: list[Member]) -> dict[str, Any]:
    return {
        "files": len(members),
        "bytes": sum(member.size for member in members),
        "newest_mtime_ns": max(member.mtime_ns for member in members),
        "names_sizes_times": short_hash([(target, size, mtime_ns) for _, target, size, mtime_ns in members]),
    }
