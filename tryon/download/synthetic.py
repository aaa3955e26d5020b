"""The synthetic source: the twin's archive, made once for its settings and kept while they stay the same."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tryon.code_version import code_version
from tryon.download.settings import SyntheticSettings
from tryon.files import digest, sha256_file, write_json
from tryon.progress import Progress
from tryon.workspace import Workspace


def synthetic_archive(settings: SyntheticSettings, seed: int, workspace: Workspace, progress: Progress) -> Path:
    """The twin's archive for these settings, its truth archive beside it.

    An archive made before with the same settings, seed and code is used again if both files are whole; any other is
    removed.

    Returns:
        Path of the zip archive under `data/staging/download/`.
    """
    folder = workspace.staging("download")
    key = digest({"settings": settings.model_dump(), "seed": seed, "code": code_version("tryon.synthetic.archive")})
    archive = folder / f"synthetic-{key}.zip"
    if not _is_whole(archive):
        from tryon.synthetic.archive import write_archive  # only here: other sources need no drawing code

        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_archive(archive, settings, seed, progress)
        write_json(_hashes_file(archive), {part.name: sha256_file(part) for part in _parts(archive)})
    _remove_others(folder, {*_parts(archive), _hashes_file(archive)})
    return archive


def _parts(archive: Path) -> tuple[Path, Path]:
    return archive, archive.with_name(f"{archive.stem}.truth.zip")


def _hashes_file(archive: Path) -> Path:
    return archive.with_suffix(".json")


def _is_whole(archive: Path) -> bool:
    """Whether both files have the hashes noted after they were written."""
    try:
        noted = json.loads(_hashes_file(archive).read_text())
        return noted == {part.name: sha256_file(part) for part in _parts(archive)}
    except (OSError, ValueError):
        return False


def _remove_others(folder: Path, kept: set[Path]) -> None:
    for path in folder.iterdir():
        if path not in kept:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
