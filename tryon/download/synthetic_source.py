"""The synthetic source: the twin's archive, made once for its settings and kept while they stay the same."""

from __future__ import annotations

import shutil
from pathlib import Path

from tryon.config.download import SyntheticSettings
from tryon.runtime.atomic_files import checksum_ok, checksum_path, short_hash, write_checksum
from tryon.runtime.code_version import code_version
from tryon.runtime.progress import Progress
from tryon.workspace import Workspace


def synthetic_archive(settings: SyntheticSettings, seed: int, workspace: Workspace, progress: Progress) -> Path:
    """The twin's archive for these settings, its truth archive beside it.

    An archive made before with the same settings, seed and code is used again if both files are whole; any other is
    removed.

    Returns:
        Path of the zip archive under `data/work/download/`.
    """
    folder = workspace.work_dir("download")
    key = short_hash({"settings": settings.model_dump(), "seed": seed, "code": code_version("tryon.synthetic.archive")})
    archive, truth = folder / f"synthetic-{key}.zip", folder / f"synthetic-{key}.truth.zip"
    if not (checksum_ok(archive) and checksum_ok(truth)):
        from tryon.synthetic.archive import write_archive  # only here: other sources need no drawing code

        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_archive(archive, settings, seed, progress)
        write_checksum(archive)
        write_checksum(truth)
    _remove_others(folder, {archive, truth, checksum_path(archive), checksum_path(truth)})
    return archive


def _remove_others(folder: Path, kept: set[Path]) -> None:
    for path in folder.iterdir():
        if path not in kept:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
