"""Render the synthetic data set as an archive, and reuse it while its settings stay the same."""

from __future__ import annotations

import shutil
from pathlib import Path

from tryon.config.download import SyntheticSettings
from tryon.runtime.atomic_files import checksum_ok, checksum_path, short_hash, write_checksum
from tryon.runtime.code_version import code_version
from tryon.runtime.progress import Progress
from tryon.workspace import Workspace


def synthetic_archive(settings: SyntheticSettings, seed: int, workspace: Workspace, progress: Progress) -> Path:
    """Return the zip archive for these settings, with its ground truth archive next to it.

    A complete archive of the same settings, seed and code is reused; all other files in the folder are removed.
    """
    folder = workspace.work_dir("download")
    key = short_hash({"settings": settings.model_dump(), "seed": seed, "code": code_version("tryon.synthetic.archive")})
    archive, truth = folder / f"synthetic-{key}.zip", folder / f"synthetic-{key}.truth.zip"
    if not (checksum_ok(archive) and checksum_ok(truth)):
        from tryon.synthetic.archive import write_archive  # other sources need no rendering code

        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_archive(archive, settings, seed, progress)
        write_checksum(archive)
        write_checksum(truth)
    for path in set(folder.iterdir()) - {archive, truth, checksum_path(archive), checksum_path(truth)}:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return archive
