"""From the name of a source to local containers: the data set, and the truth beside it where there is one."""

from __future__ import annotations

from pathlib import Path

from tryon.config.download import DownloadSettings
from tryon.download.containers import Container, open_container
from tryon.download.synthetic_source import synthetic_archive
from tryon.dresscode.layout import ATTRIBUTES_FILE
from tryon.errors import ParameterError, SourceError
from tryon.runtime.atomic_files import sha256_file
from tryon.runtime.progress import Progress
from tryon.workspace import Workspace

SYNTHETIC = "synthetic"
"""The name of the source that is made here instead of brought from somewhere."""

_REMEDY = "Set download.source in params.yaml to `synthetic`, a folder or a zip archive."


def fetch(settings: DownloadSettings, seed: int, workspace: Workspace, progress: Progress) -> list[Container]:
    """Make the source local and open it.

    Returns:
        One container, or two when a truth companion lies beside the source.

    Raises:
        SourceError: the source is missing, damaged, or not the one whose SHA-256 is expected.
        ParameterError: a SHA-256 is expected of a folder.
    """
    if settings.source == SYNTHETIC:
        path = synthetic_archive(settings.synthetic, seed, workspace, progress)
    else:
        path = locate(settings, workspace)
    truth = find_truth_archive(path)
    container = open_container(path)
    if settings.sha256 is not None:
        _check_sha256(path, settings.sha256, progress)
    return [container, *([open_container(truth)] if truth else [])]


def locate(settings: DownloadSettings, workspace: Workspace) -> Path:
    """Path of a source that is a folder or a file; a relative name counts from the workspace.

    Raises:
        SourceError: it does not exist, is of a kind that cannot be read, or overlaps `data/raw`.
    """
    if "://" in settings.source:
        raise SourceError(settings.source, expected="is a folder or a zip archive on this machine", hint=_REMEDY)
    try:
        path = workspace.root / Path(settings.source).expanduser()
        path.stat()
    except FileNotFoundError as error:
        raise SourceError(settings.source, expected="is a folder or a file that exists", hint=_REMEDY) from error
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: no such user; ValueError: a null character
        value = error.strerror if isinstance(error, OSError) else str(error)
        rule = "is a folder or a file that can be looked at"
        raise SourceError(settings.source, expected=rule, found=value, hint=_REMEDY) from error
    if not (path.is_dir() or path.suffix.lower() == ".zip"):
        raise SourceError(settings.source, expected="is a folder or ends in .zip", hint=_REMEDY)
    here, raw = path.resolve(), workspace.raw.resolve()
    if here.is_relative_to(raw) or raw.is_relative_to(here):
        rule = "lies apart from data/raw, which is made from it and cleaned"
        raise SourceError(settings.source, expected=rule, hint="Move it elsewhere and name the new place.")
    return path


def find_truth_archive(path: Path) -> Path | None:
    """`<stem>.truth` or `<stem>.truth.zip` beside a source, if there is one and the source does not hold it itself."""
    if (path / ATTRIBUTES_FILE).exists():
        return None
    stem = path.name if path.is_dir() else path.stem
    candidates = (path.with_name(f"{stem}.truth"), path.with_name(f"{stem}.truth.zip"))
    return next((candidate for candidate in candidates if candidate.exists()), None)


def _check_sha256(path: Path, expected: str, progress: Progress) -> None:
    if path.is_dir():
        raise ParameterError("download.sha256", expected="is given for an archive, not for a folder", found=str(path))
    found = sha256_file(path, progress)
    if found != expected:
        remedy = "Fetch the archive again, or correct download.sha256."
        raise SourceError(str(path), expected=f"has the SHA-256 {expected}", found=found, hint=remedy)
