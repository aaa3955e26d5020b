from __future__ import annotations

import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tryon.download import containers
from tryon.download.containers import ZipContainer, open_container
from tryon.download.sync_raw import sync_raw
from tryon.errors import SourceError
from tryon.runtime.progress import no_progress

NAME = "dresses/images/000001_0.jpg"


def write_zip(path: Path, content: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def test_folder_and_zip_list_the_same_members(data_set: Path, zipped: Callable[..., Path]) -> None:
    def listing(path: Path) -> list[tuple[str, int]]:
        return [(member.target, member.size) for member in open_container(path).members()]

    assert listing(data_set) == listing(data_set.parent) == listing(zipped(data_set)) != []


@pytest.mark.parametrize("keep", [0.0, 0.5, 0.99])
def test_rejects_truncated_archive(data_set: Path, zipped: Callable[..., Path], keep: float) -> None:
    archive = zipped(data_set)
    data = archive.read_bytes()
    archive.write_bytes(data[: int(keep * len(data))])
    with pytest.raises(SourceError, match=r"source.zip is not a complete zip archive.*Download the archive again"):
        open_container(archive)


def test_damaged_member_is_named(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(NAME, b"image" * 100)
    data = bytearray(archive.read_bytes())
    data[200] ^= 1
    archive.write_bytes(bytes(data))
    with pytest.raises(SourceError, match=rf"{NAME} in .*a.zip"):
        sync_raw([ZipContainer(archive)], tmp_path / "raw", False, no_progress)
    assert [path for path in (tmp_path / "raw").rglob("[!.]*") if path.is_file()] == []


def test_rejects_links(tmp_path: Path) -> None:
    link = zipfile.ZipInfo(NAME)
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr(link, "/etc/passwd")
    with pytest.raises(SourceError, match="links"):
        open_container(tmp_path / "a.zip")


def test_rejects_encrypted_archive(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", {NAME: b"secret"})
    data = bytearray(archive.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(bytes(data))
    with pytest.raises(SourceError, match="is encrypted"):
        open_container(archive)


@pytest.mark.parametrize(("offset", "value"), [(6, 255), (10, 99), (8, 1 << 6)], ids=["version", "method", "flag"])
def test_unsupported_zip_feature_is_a_user_error(tmp_path: Path, offset: int, value: int) -> None:
    archive = write_zip(tmp_path / "a.zip", {NAME: b"image" * 100})
    data = bytearray(archive.read_bytes())
    data[data.index(b"PK\x01\x02") + offset] = value
    archive.write_bytes(bytes(data))
    with pytest.raises(SourceError, match=r"a\.zip.*Download the archive again"):
        sync_raw([open_container(archive)], tmp_path / "raw", False, no_progress)


def test_rejects_zip_bomb_before_unpacking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = write_zip(tmp_path / "a.zip", {f"dresses/images/{n:06d}_0.jpg": bytes(2**20) for n in range(4)})
    open_container(archive)  # accepted: the ratio alone does not count
    monkeypatch.setattr(containers, "HARMLESS_BYTES", 2**21)
    with pytest.raises(SourceError, match="at most 100 times the packed size"):
        open_container(archive)


def test_rejects_member_larger_than_stated(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", {NAME: bytes(10_000)})
    data = bytearray(archive.read_bytes())
    offset = data.index(b"PK\x01\x02") + 24
    data[offset : offset + 4] = (100).to_bytes(4, "little")
    archive.write_bytes(bytes(data))
    with pytest.raises(SourceError, match="cannot be unpacked"):
        sync_raw([ZipContainer(archive)], tmp_path / "raw", False, no_progress)
