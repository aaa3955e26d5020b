from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tryon.download import sync_raw as sync_module
from tryon.download.containers import Container, FolderContainer, open_container
from tryon.download.sync_raw import sync_raw
from tryon.errors import SourceError
from tryon.runtime.progress import no_progress


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("[!.]*") if path.is_file()}


@pytest.fixture(params=["folder", "zip"])
def container(request: pytest.FixtureRequest, data_set: Path, zipped: Callable[..., Path]) -> Container:
    return open_container(data_set if request.param == "folder" else zipped(data_set, top="DressCode/"))


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return tmp_path / "data" / "raw"


def copied(container: Container, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Targets that are copied from now on."""
    names: list[str] = []
    true_copy = container.copy
    monkeypatch.setattr(container, "copy", lambda member, path: (names.append(member.target), true_copy(member, path)))
    return names


def test_raw_becomes_identical_to_the_source(container: Container, data_set: Path, raw: Path) -> None:
    assert sync_raw([container], raw, False, no_progress) == set(content(data_set)) == set(content(raw))
    assert content(raw) == content(data_set)


def test_second_run_copies_only_changed_files(
    container: Container, data_set: Path, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync_raw([container], raw, False, no_progress)
    names = copied(container, monkeypatch)
    sync_raw([container], raw, False, no_progress)
    assert names == []
    damaged = raw / "dresses/images/000200_0.jpg"
    damaged.write_bytes(bytes(damaged.stat().st_size))
    (raw / "dresses/images/000201_0.jpg").unlink()
    sync_raw([container], raw, False, no_progress)
    assert names == ["dresses/images/000200_0.jpg", "dresses/images/000201_0.jpg"]
    assert content(raw) == content(data_set)


def test_interrupted_run_resumes(
    container: Container, data_set: Path, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[str] = []
    true_copy = container.copy

    def copy(member, path: Path) -> None:
        if len(names) == 20:
            path.write_bytes(b"half")
            raise KeyboardInterrupt
        names.append(member.target)
        true_copy(member, path)

    monkeypatch.setattr(container, "copy", copy)
    with pytest.raises(KeyboardInterrupt):
        sync_raw([container], raw, False, no_progress)
    assert content(raw) == {name: (data_set / name).read_bytes() for name in names}
    monkeypatch.setattr(container, "copy", true_copy)
    rest = copied(container, monkeypatch)
    sync_raw([container], raw, False, no_progress)
    assert len(rest) == len(content(data_set)) - 20
    assert content(raw) == content(data_set)


def test_removes_files_that_the_source_lacks(container: Container, data_set: Path, raw: Path, tmp_path: Path) -> None:
    sync_raw([container], raw, False, no_progress)
    shutil.rmtree(raw / "upper_body")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious.txt").write_text("not ours")
    for item in ("000200", "000201"):
        (raw / f"dresses/images/{item}_0.jpg").unlink()
    for name in ("stray.txt", "dresses/images/999999_0.jpg", "old/deep/file", "dresses/images/000200_0.jpg/inside"):
        (raw / name).parent.mkdir(parents=True, exist_ok=True)
        (raw / name).write_text("foreign")
    (raw / "upper_body").symlink_to(outside)
    (raw / "dresses/images/000201_0.jpg").symlink_to(outside / "precious.txt")
    sync_raw([container], raw, False, no_progress)
    assert content(raw) == content(data_set)
    assert not (raw / "old").exists()
    assert content(outside) == {"precious.txt": b"not ours"}
    assert not any(path.is_symlink() for path in raw.rglob("*"))


def test_rejects_folder_with_other_files(container: Container, raw: Path) -> None:
    (raw / "dresses/images").mkdir(parents=True)
    (raw / "dresses/images/000200_0.jpg").write_bytes(b"precious")
    with pytest.raises(SourceError, match=r"download\.source"):
        sync_raw([container], raw, False, no_progress)
    assert content(raw) == {"dresses/images/000200_0.jpg": b"precious"}


def test_rejects_file_in_both_containers(data_set: Path, raw: Path) -> None:
    with pytest.raises(SourceError, match="is in both"):
        sync_raw([FolderContainer(data_set), FolderContainer(data_set)], raw, False, no_progress)


def test_rejects_too_small_disk_before_unpacking(
    container: Container, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        free = 1000

    monkeypatch.setattr(sync_module.shutil, "disk_usage", lambda path: Usage)
    with pytest.raises(SourceError, match="too small"):
        sync_raw([container], raw, False, no_progress)
    assert content(raw) == {}
