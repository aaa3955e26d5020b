"""Small synthetic data sets: a plain one, as archives and unpacked, and one with every option, as a folder."""

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


class SyntheticFiles(NamedTuple):
    archive: Path
    truth: Path
    root: Path  # both archives unpacked


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> SyntheticFiles:
    folder = tmp_path_factory.mktemp("plain")
    files = SyntheticFiles(folder / "plain.zip", folder / "plain.truth.zip", folder / "root")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRYON_WORKERS", "1")
        write_archive(files.archive, SETTINGS, SEED, no_progress)
    for part in (files.archive, files.truth):
        with zipfile.ZipFile(part) as archive:
            archive.extractall(files.root)
    return files


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data set with UV, flow, parsing noise and ground truth."""
    root = tmp_path_factory.mktemp("everything") / "root"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRYON_WORKERS", "1")
        write_folder(root, EVERYTHING, SEED, no_progress)
    return root
