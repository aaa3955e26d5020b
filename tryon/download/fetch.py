"""Open the source as local containers: the data set, and its ground truth if there is one."""

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

SYNTHETIC_SOURCE = "synthetic"
"""Name of the source that is rendered instead of read."""

_HINT = "Set download.source in params.yaml to `synthetic`, a folder or a zip archive."


def fetch(settings: DownloadSettings, seed: int, workspace: Workspace, progress: Progress) -> list[Container]:
    """Open the data set, rendered if it is synthetic, and its ground truth if there is one next to it.

    Raises:
        SourceError: the source is missing, damaged, or has another SHA-256 than expected.
        ParameterError: a SHA-256 is expected of a folder.
    """
    if settings.source == SYNTHETIC_SOURCE:
        path = synthetic_archive(settings.synthetic, seed, workspace, progress)
    else:
        path = locate(settings, workspace)
    truth = find_truth_archive(path)
    container = open_container(path)
    if settings.sha256 is not None:
        _check_sha256(path, settings.sha256, progress)
    return [container, *([open_container(truth)] if truth else [])]


def locate(settings: DownloadSettings, workspace: Workspace) -> Path:
    """Return the path of a source that is a folder or a file, relative to the workspace.

    Raises:
        SourceError: it does not exist, is not a folder or zip archive, or overlaps `data/raw`.
    """
    source = settings.source
    if "://" in source:
        raise SourceError(f"download.source {source} is not a local folder or zip archive", hint=_HINT)
    try:
        path = workspace.root / Path(source).expanduser()
        path.stat()
    except FileNotFoundError as error:
        raise SourceError(f"download.source {source} not found", hint=_HINT) from error
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: no such user; ValueError: a null character
        details = error.strerror if isinstance(error, OSError) else str(error)
        raise SourceError(f"download.source {source} cannot be accessed", found=details, hint=_HINT) from error
    if not (path.is_dir() or path.suffix.lower() == ".zip"):
        raise SourceError(f"download.source {source} is not a folder or a .zip file", hint=_HINT)
    resolved, raw = path.resolve(), workspace.raw.resolve()
    if resolved.is_relative_to(raw) or raw.is_relative_to(resolved):
        raise SourceError(
            f"download.source {source} overlaps data/raw, which is generated from it",
            hint="Move the source elsewhere and update download.source.",
        )
    return path


def find_truth_archive(path: Path) -> Path | None:
    """Return `<stem>.truth` or `<stem>.truth.zip` next to a source, unless the source contains the ground truth."""
    if (path / ATTRIBUTES_FILE).exists():
        return None
    stem = path.name if path.is_dir() else path.stem
    candidates = (path.with_name(f"{stem}.truth"), path.with_name(f"{stem}.truth.zip"))
    return next((candidate for candidate in candidates if candidate.exists()), None)


def _check_sha256(path: Path, expected: str, progress: Progress) -> None:
    if path.is_dir():
        raise ParameterError(
            "download.sha256 is set, but download.source is a folder", found=str(path), expected="an archive"
        )
    actual = sha256_file(path, progress)
    if actual != expected:
        raise SourceError(
            f"SHA-256 of {path} differs from download.sha256",
            found=actual,
            expected=expected,
            hint="Download the archive again, or correct download.sha256.",
        )
