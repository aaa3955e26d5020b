"""Small twins for the whole folder: a plain one, as zip files and unpacked, and one with everything, as a folder."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from tryon.config.download import SyntheticSettings
from tryon.runtime.progress import no_progress
from tryon.synthetic.archive import write_archive, write_folder

SEED = 7
SETTINGS = SyntheticSettings(train_pairs=2, test_pairs=3)
EVERYTHING = SyntheticSettings(train_pairs=1, test_pairs=2, uv=True, flow=True, parsing_noise_fraction=0.7)


class Twin(NamedTuple):
    archive: Path
    truth: Path
    root: Path  # both unpacked


@pytest.fixture(scope="session")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Twin:
    folder = tmp_path_factory.mktemp("twin")
    made = Twin(folder / "twin.zip", folder / "twin.truth.zip", folder / "root")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRYON_WORKERS", "1")
        write_archive(made.archive, SETTINGS, SEED, no_progress)
    for part in (made.archive, made.truth):
        with zipfile.ZipFile(part) as archive:
            archive.extractall(made.root)
    return made


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Root of an unpacked twin with UV, flow and parser errors, the truth in it."""
    root = tmp_path_factory.mktemp("everything") / "root"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRYON_WORKERS", "1")
        write_folder(root, EVERYTHING, SEED, no_progress)
    return root
