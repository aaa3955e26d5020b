from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tryon.config.download import DownloadSettings
from tryon.download.fingerprint import check_fingerprint, fingerprint, write_fingerprint
from tryon.errors import MissingInputError, SourceError
from tryon.workspace import Workspace


def settings(source: object, **more: object) -> DownloadSettings:
    return DownloadSettings.model_validate({"source": str(source), **more})


def test_synthetic_source_is_its_name(workspace: Workspace) -> None:
    assert fingerprint(settings("synthetic"), workspace) == {"source": "synthetic"}


def test_writes_once_and_checks(workspace: Workspace, data_set: Path) -> None:
    with pytest.raises(MissingInputError, match="tryon refresh-inputs"):
        check_fingerprint(workspace, settings(data_set))
    assert write_fingerprint(workspace, settings(data_set)) is True
    before = workspace.source_file.stat().st_mtime_ns
    assert write_fingerprint(workspace, settings(data_set)) is False
    assert workspace.source_file.stat().st_mtime_ns == before
    check_fingerprint(workspace, settings(data_set))
    with pytest.raises(MissingInputError, match="tryon refresh-inputs"):
        check_fingerprint(workspace, settings("synthetic"))


def edited(path: Path) -> None:
    path.write_bytes(path.read_bytes()[::-1])
    os.utime(path, ns=(1, 2**61))


CHANGES: dict[str, Callable[[Path], object]] = {
    "grown": lambda root: (root / "dresses/images/000250_0.jpg").touch(),
    "gone": lambda root: (root / "dresses/images/000200_0.jpg").unlink(),
    "renamed": lambda root: (root / "dresses/images/000200_0.jpg").rename(root / "dresses/images/000250_0.jpg"),
    "edited": lambda root: edited(root / "dresses/images/000200_0.jpg"),
    "list edited": lambda root: edited(root / "dresses/train_pairs.txt"),
    "companion": lambda root: shutil.copytree(root, root.with_name("DressCode.truth")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_of_a_folder_changes_the_fingerprint(workspace: Workspace, data_set: Path, change: str) -> None:
    before = fingerprint(settings(data_set), workspace)
    assert fingerprint(settings(data_set), workspace) == before
    CHANGES[change](data_set)
    assert fingerprint(settings(data_set), workspace) != before


def test_only_the_changed_category_changes(workspace: Workspace, data_set: Path) -> None:
    before = fingerprint(settings(data_set), workspace)["files"]["DressCode"]
    (data_set / "dresses/images/000250_0.jpg").touch()
    after = fingerprint(settings(data_set), workspace)["files"]["DressCode"]
    assert [name for name in after if after[name] != before[name]] == ["dresses"]


def test_other_files_in_the_folder_do_not_count(workspace: Workspace, data_set: Path) -> None:
    before = fingerprint(settings(data_set), workspace)
    (data_set / "notes.txt").touch()
    assert fingerprint(settings(data_set), workspace) == before


def test_size_does_not_grow_with_the_number_of_files(workspace: Workspace, data_set: Path) -> None:
    before = len(json.dumps(fingerprint(settings(data_set), workspace)))
    for number in range(300):
        (data_set / f"dresses/images/{number:05d}9_0.jpg").touch()
    assert len(json.dumps(fingerprint(settings(data_set), workspace))) < before + 10


def test_archive_is_its_size_and_time(
    workspace: Workspace, data_set: Path, zipped: Callable[..., Path], tmp_path: Path
) -> None:
    archive = zipped(data_set)
    result = fingerprint(settings(archive), workspace)
    status = archive.stat()
    assert result["files"] == {"source.zip": {"bytes": status.st_size, "mtime_ns": status.st_mtime_ns}}
    shutil.copy(archive, tmp_path / "source.truth.zip")
    assert set(fingerprint(settings(archive), workspace)["files"]) == {"source.zip", "source.truth.zip"}


def test_missing_source_is_named(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nowhere"):
        write_fingerprint(workspace, settings(tmp_path / "nowhere"))
    assert not workspace.source_file.exists()


def test_scanning_a_folder_reports_progress(workspace: Workspace, data_set: Path) -> None:
    reported: list[tuple[int, int]] = []
    fingerprint(settings(data_set), workspace, lambda done, total, what: reported.append((done, total)))
    assert len(reported) > 3
    assert reported == [(done, len(reported)) for done in range(1, len(reported) + 1)]
