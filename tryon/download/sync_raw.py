"""Synchronize `data/raw` with the source: copy new files, keep unchanged ones, and remove all others."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from tryon.download.containers import Container
from tryon.download.members import Member
from tryon.download.truth_match import check_truth_matches
from tryon.errors import SourceError
from tryon.runtime.atomic_files import disk_error, short_hash
from tryon.runtime.progress import Progress

OWNER_MARKER = ".made-by-tryon-download"
"""File in `data/raw` that marks it as generated; without it nothing there is ever removed."""


def sync_raw(containers: Sequence[Container], raw: Path, include_densepose_uv: bool, progress: Progress) -> set[str]:
    """Make `raw` contain exactly the files of all `containers`.

    Each file is written atomically, so an interrupted run resumes. Returns the targets of all files.

    Raises:
        SourceError: a file cannot be read or is in two containers, the ground truth is of another data set, the disk
            is too small, or `raw` was not made by this stage.
        DiskError: a file cannot be written.
    """
    members = _select_members(containers, include_densepose_uv)
    check_truth_matches(members)
    _take_ownership(raw)
    _remove_extra(raw, {*members, OWNER_MARKER})
    missing = []
    for done, (container, member) in enumerate(members.values(), start=1):
        path = raw / member.target
        if not (path.exists() and container.same(member, path)):
            missing.append((container, member))
        progress(done, len(members), "compare")
    required, free = sum(member.size for _, member in missing), shutil.disk_usage(raw).free
    if required > free:
        raise SourceError(
            f"disk of {raw} is too small to unpack the source",
            found=f"{free / 2**30:.3g} GiB free",
            expected=f"{required / 2**30:.3g} GiB",
            hint="Free some disk space.",
        )
    for done, (container, member) in enumerate(missing, start=1):
        _copy_member(container, member, raw)
        progress(done, len(missing), "unpack")
    return set(members)


def _select_members(containers: Sequence[Container], include_densepose_uv: bool) -> dict[str, tuple[Container, Member]]:
    members: dict[str, tuple[Container, Member]] = {}
    for container in containers:
        for member in container.members():
            if member.target.endswith("_uv.npz") and not include_densepose_uv:
                continue
            if member.target in members:
                raise SourceError(f"{member.name} is in both {containers[0].name} and {container.name}")
            members[member.target] = container, member
    return members


def _take_ownership(raw: Path) -> None:
    """Mark `raw` as generated unless it contains other files, which must not be removed."""
    if raw.exists() and not (raw / OWNER_MARKER).exists() and any(raw.iterdir()):
        raise SourceError(
            f"{raw} contains files that `tryon download` did not write",
            hint="Move them elsewhere; if they are your data set, set download.source to the new path.",
        )
    raw.mkdir(parents=True, exist_ok=True)
    (raw / OWNER_MARKER).touch()


def _copy_member(container: Container, member: Member, raw: Path) -> None:
    path = raw / member.target
    temporary = raw / f".{short_hash(member.target)}.part"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        container.copy(member, temporary)
        temporary.replace(path)
    except OSError as error:
        if disk := disk_error(error, path):
            raise disk from error
        raise SourceError(
            f"{member.name} in {container.name} cannot be copied to data/raw", found=str(error)
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def _remove_extra(raw: Path, targets: set[str]) -> None:
    """Remove files and links that are not `targets`, and empty folders."""
    for folder, folders, files in os.walk(raw, topdown=False):
        for name in files:
            path = Path(folder, name)
            if path.relative_to(raw).as_posix() not in targets:
                path.unlink()
        for name in folders:
            path = Path(folder, name)
            if path.is_symlink():
                path.unlink()
            elif not any(path.iterdir()):
                path.rmdir()
