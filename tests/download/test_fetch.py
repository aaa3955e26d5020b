from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tryon.config.download import DownloadSettings
from tryon.download.fetch import fetch, find_truth_archive, locate
from tryon.errors import ParameterError, SourceError
from tryon.runtime.atomic_files import sha256_file
from tryon.runtime.progress import no_progress
from tryon.workspace import Workspace


def settings(source: object, **more: object) -> DownloadSettings:
    return DownloadSettings.model_validate({"source": str(source), **more})


def test_missing_or_unsupported_source_names_the_key(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no archive")
    for source in (tmp_path / "nowhere.zip", tmp_path / "notes.txt", "https://example.org/DressCode.zip"):
        with pytest.raises(SourceError, match=r"download\.source in params\.yaml"):
            locate(settings(source), workspace)


@pytest.mark.parametrize("source", ["~nouser-of-this-name/x", "x" * 5000, "null\0.zip", "notes.txt/x.zip"])
def test_inaccessible_source_names_the_key(workspace: Workspace, source: str) -> None:
    workspace.root.mkdir()
    (workspace.root / "notes.txt").touch()
    with pytest.raises(SourceError, match=r"cannot be accessed.*download\.source in params\.yaml"):
        locate(settings(source), workspace)


@pytest.mark.parametrize("folder", ["data/raw", "data/raw/inside", "data", ""])
def test_rejects_source_that_overlaps_raw(workspace: Workspace, folder: str) -> None:
    (workspace.root / folder).mkdir(parents=True)
    with pytest.raises(SourceError, match="overlaps data/raw"):
        locate(settings(workspace.root / folder), workspace)


def test_expected_hash_is_checked(workspace: Workspace, data_set: Path, zipped: Callable[..., Path]) -> None:
    archive = zipped(data_set)
    fetch(settings(archive, sha256=sha256_file(archive)), 7, workspace, no_progress)
    with pytest.raises(SourceError, match=r"correct download\.sha256"):
        fetch(settings(archive, sha256="0" * 64), 7, workspace, no_progress)
    with pytest.raises(ParameterError, match=r"download\.sha256"):
        fetch(settings(data_set, sha256="0" * 64), 7, workspace, no_progress)


def test_finds_truth_next_to_folders_and_archives(tmp_path: Path) -> None:
    folder, archive = tmp_path / "v1.2", tmp_path / "set.zip"
    folder.mkdir()
    archive.touch()
    assert find_truth_archive(folder) is None
    assert find_truth_archive(archive) is None
    (tmp_path / "v1.2.truth.zip").touch()
    (tmp_path / "set.truth").mkdir()
    assert find_truth_archive(folder) == tmp_path / "v1.2.truth.zip"
    assert find_truth_archive(archive) == tmp_path / "set.truth"
    (folder / "attributes.csv").touch()
    assert find_truth_archive(folder) is None  # it contains the ground truth
