"""Bring `data/raw` to what the source holds: copy what is new, leave what is there, remove what is foreign."""

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

OWNER_MARK = ".made-by-tryon-download"
"""File in `data/raw` that says whose work area it is; without it nothing there is ever removed."""


def sync_raw(containers: Sequence[Container], raw: Path, include_densepose_uv: bool, progress: Progress) -> set[str]:
    """Make `raw` hold exactly the files of all `containers`.

    Each file appears whole or not at all, so a stopped run goes on where it was.

    Args:
        containers: the source, and the truth beside it where there is one.
        raw: the work area.
        include_densepose_uv: take the UV maps too.
        progress: told the number of files.

    Returns:
        Targets of all files that are now there.

    Raises:
        SourceError: a file cannot be read, is named by two containers, the truth is that of another twin, the disk
            is too small, or `raw` holds what somebody else put there.
        DiskError: a file cannot be written.
    """
    wanted = _select_members(containers, include_densepose_uv)
    check_truth_matches(wanted)
    _take_ownership(raw)
    _remove_extra(raw, {*wanted, OWNER_MARK})
    missing = []
    for done, (container, member) in enumerate(wanted.values(), start=1):
        path = raw / member.target
        if not (path.exists() and container.same(member, path)):
            missing.append((container, member))
        progress(done, len(wanted), "compare")
    _check_space(raw, sum(member.size for _, member in missing))
    for done, (container, member) in enumerate(missing, start=1):
        _copy_member(container, member, raw)
        progress(done, len(missing), "unpack")
    return set(wanted)


def _select_members(containers: Sequence[Container], include_densepose_uv: bool) -> dict[str, tuple[Container, Member]]:
    wanted: dict[str, tuple[Container, Member]] = {}
    for container in containers:
        for member in container.members():
            if member.target.endswith("_uv.npz") and not include_densepose_uv:
                continue
            if member.target in wanted:
                raise SourceError(
                    f"{container.name}, {member.name}", expected=f"is not in {containers[0].name} as well"
                )
            wanted[member.target] = container, member
    return wanted


def _take_ownership(raw: Path) -> None:
    """Mark the work area as ours, unless somebody else's files are there: those must not be cleaned away."""
    if raw.exists() and not (raw / OWNER_MARK).exists() and any(raw.iterdir()):
        remedy = "Move it elsewhere, and name the new place as download.source if that is your data set."
        raise SourceError(str(raw), expected="holds only what `tryon download` put there", hint=remedy)
    raw.mkdir(parents=True, exist_ok=True)
    (raw / OWNER_MARK).touch()


def _copy_member(container: Container, member: Member, raw: Path) -> None:
    path = raw / member.target
    temporary = raw / f".{short_hash(member.target)}.part"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        container.copy(member, temporary)
        temporary.replace(path)
    except OSError as error:
        what = f"{container.name}, {member.name}"
        told = disk_error(error, path)
        raise told or SourceError(what, expected="can be read and written to data/raw", found=str(error)) from error
    finally:
        temporary.unlink(missing_ok=True)


def _remove_extra(raw: Path, wanted: set[str]) -> None:
    """Remove files and links that the source does not have, and folders left empty."""
    for folder, folders, files in os.walk(raw, topdown=False):
        for name in files:
            path = Path(folder, name)
            if path.relative_to(raw).as_posix() not in wanted:
                path.unlink()
        for name in folders:
            path = Path(folder, name)
            if path.is_symlink():
                path.unlink()
            elif not any(path.iterdir()):
                path.rmdir()


def _check_space(raw: Path, needed: int) -> None:
    free = shutil.disk_usage(raw).free
    if needed > free:
        rule = f"has room for the {needed / 2**30:.3g} GiB still to be unpacked"
        raise SourceError(str(raw), expected=rule, found=f"{free / 2**30:.3g} GiB free", hint="Free some disk space.")
