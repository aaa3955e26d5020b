"""Record the state of the source in `data/source.json`, tracked by git, to detect when the source changes."""

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
from tryon.download.fetch import SYNTHETIC_SOURCE, find_truth_archive, locate
from tryon.download.members import Member
from tryon.errors import MissingInputError
from tryon.runtime.atomic_files import short_hash, write_json
from tryon.runtime.progress import Progress, no_progress
from tryon.workspace import Workspace


def fingerprint(settings: DownloadSettings, workspace: Workspace, progress: Progress = no_progress) -> dict[str, Any]:
    """Compute the fingerprint of the source from names, sizes and times, without reading its files.

    An archive is one entry. A folder has one entry per category and per file in the root, whatever the number of files.

    Raises:
        SourceError: the source is missing or cannot be read.
    """
    if settings.source == SYNTHETIC_SOURCE:
        return {"source": SYNTHETIC_SOURCE}
    path = locate(settings, workspace)
    parts = [part for part in (path, find_truth_archive(path)) if part]
    return {"source": settings.source, "files": {part.name: _fingerprint_of(part, progress) for part in parts}}


def write_fingerprint(
    workspace: Workspace, settings: DownloadSettings, progress: Progress = no_progress, write: bool = True
) -> bool:
    """Update `data/source.json`, or only compare it unless `write`; return whether the source has changed."""
    current = fingerprint(settings, workspace, progress)
    changed = recorded_fingerprint(workspace) != current
    if changed and write:
        write_json(workspace.source_file, current)
    return changed


def check_fingerprint(workspace: Workspace, settings: DownloadSettings, progress: Progress = no_progress) -> None:
    """Check that `data/source.json` describes the current source.

    Raises:
        MissingInputError: it does not exist, or the source has changed since.
    """
    recorded = recorded_fingerprint(workspace)
    if recorded != fingerprint(settings, workspace, progress):
        raise MissingInputError(
            f"{workspace.source_file} does not describe the current source {settings.source}",
            found="another state of the source" if recorded else "no such file, or not JSON",
            hint="Run `tryon refresh-inputs`, then this command again.",
        )


def recorded_fingerprint(workspace: Workspace) -> Any:
    """Load `data/source.json`, the source at the last pipeline run; None if there is no such file."""
    try:
        return json.loads(workspace.source_file.read_text())
    except (OSError, ValueError):
        return None


def _fingerprint_of(path: Path, progress: Progress) -> dict[str, Any]:
    if not path.is_dir():
        status = path.stat()
        return {"bytes": status.st_size, "mtime_ns": status.st_mtime_ns}
    with _gc_disabled():
        members = FolderContainer(path).members(progress)  # sorted, as groupby needs
        parts = groupby(members, lambda member: member.target.split("/")[0])
        return {top: _merkle_digest(list(part)) for top, part in parts}


@contextmanager
def _gc_disabled() -> Iterator[None]:
    """Disable the garbage collector, which would traverse all members repeatedly: a fifth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _merkle_digest(members: list[Member]) -> dict[str, Any]:
    return {
        "files": len(members),
        "bytes": sum(member.size for member in members),
        "newest_mtime_ns": max(member.mtime_ns for member in members),
        "names_sizes_times": short_hash([(target, size, mtime_ns) for _, target, size, mtime_ns in members]),
    }
