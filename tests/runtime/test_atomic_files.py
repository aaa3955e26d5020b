"""Atomic files and folders, translation of OS errors, and hashes."""

import errno
import os
import pickle
from pathlib import Path

import pytest

from tryon.errors import DiskError
from tryon.runtime.atomic_files import (
    atomic_file,
    atomic_folder,
    disk_error,
    sha256_bytes,
    sha256_file,
    short_hash,
    translate_os_errors,
    write_bytes,
    write_json,
    write_text,
)


def test_write_creates_parent_folders(tmp_path):
    path = tmp_path / "new" / "file.txt"
    write_text(path, "über")
    assert path.read_text(encoding="utf-8") == "über"
    assert [p.name for p in path.parent.iterdir()] == ["file.txt"]


def test_failed_write_keeps_old_content_and_no_temporary_file(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")

    def fail_half_way():
        with atomic_file(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_leftover_temporary_file_is_overwritten(tmp_path):
    path = tmp_path / "file.txt"
    (tmp_path / ".file.txt.tmp").write_text("left by a killed process, and longer")
    write_text(path, "new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_folder_is_replaced_atomically(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "stale").write_text("stale")
    with atomic_folder(folder) as temporary:
        (temporary / "fresh").write_text("fresh")
        assert (folder / "stale").exists()
    assert [p.name for p in folder.iterdir()] == ["fresh"]
    assert list(tmp_path.iterdir()) == [folder]


def test_failed_folder_keeps_old_one(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "old").write_text("old")

    def fail_half_way():
        with atomic_folder(folder) as temporary:
            (temporary / "half").write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert [p.name for p in folder.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [folder]


def test_file_at_folder_path_is_kept_and_reported(tmp_path):
    (tmp_path / "out").write_text("user file")
    raises = pytest.raises(DiskError, match="Move the file that is in the way")
    with raises, translate_os_errors(), atomic_folder(tmp_path / "out"):
        raise AssertionError("entered")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("out", "user file")]


def test_old_folder_survives_kill_between_renames(tmp_path, monkeypatch):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "old").write_text("old")
    monkeypatch.setattr("tryon.runtime.atomic_files._restore_backup", lambda backup, path: None)
    rename = Path.replace

    def killed(self, target):
        if self.name == ".out.tmp":
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt), atomic_folder(folder):
        pass
    assert (tmp_path / ".out.old" / "old").exists()
    monkeypatch.undo()
    with pytest.raises(RuntimeError), atomic_folder(folder):
        raise RuntimeError
    assert [p.name for p in folder.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [folder]


def test_folder_is_flushed_before_rename(tmp_path, monkeypatch):
    flushed = []
    monkeypatch.setattr(
        "tryon.runtime.atomic_files.os.fsync", lambda number: flushed.append((tmp_path / "out").exists())
    )
    with atomic_folder(tmp_path / "out") as temporary:
        (temporary / "deep").mkdir()
        (temporary / "deep" / "file").write_text("content")
    assert flushed == [False]


def test_sha256_file_equals_sha256_of_bytes(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_file(path) == sha256_bytes(b"abc") == expected


def test_short_hash_ignores_key_order():
    assert short_hash({"a": 1, "b": [2]}) == short_hash({"b": [2], "a": 1})
    assert short_hash({"a": 1}) != short_hash({"a": 1.5})


def test_write_json_rejects_nan(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "x.json", {"loss": float("nan")})
    assert not (tmp_path / "x.json").exists()


def os_error(number, *names):
    return OSError(number, os.strerror(number), *names)


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.ENOSPC, "Free some disk space"),
        (errno.EDQUOT, "Free some disk space"),
        (errno.EACCES, "permissions"),
        (errno.EPERM, "permissions"),
        (errno.EROFS, "Mount"),
        (errno.ENOTDIR, "file that is in the way"),
        (errno.EISDIR, "folder that is in the way"),
        (errno.ENAMETOOLONG, "shorter path"),
    ],
)
def test_disk_error_names_file_cause_and_hint(number, hint):
    error = disk_error(os_error(number, "data/raw/x"), next_step="run `tryon x` again")
    assert isinstance(error, DiskError)
    assert "data/raw/x" in error.problem
    assert os.strerror(number) in error.problem
    assert hint in error.hint
    assert error.hint.endswith(", then run `tryon x` again.")


@pytest.mark.parametrize(
    "error",
    [
        os_error(errno.ENOENT, "gone"),  # code that opens a file reports a missing one itself
        os_error(errno.EACCES),  # without a file, for example a port
        os_error(errno.ECONNREFUSED),
        os_error(errno.EPIPE),
        OSError("without a number, as from pyarrow"),
        ValueError("a bug"),
    ],
)
def test_other_errors_are_unchanged(error):
    with pytest.raises(type(error)) as raised, translate_os_errors():
        raise error
    assert raised.value is error


def test_existing_folder_is_not_a_user_error(tmp_path):
    with pytest.raises(FileExistsError), translate_os_errors():
        tmp_path.mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(DiskError, match="Move the file that is in the way"), translate_os_errors():
        (tmp_path / "file").mkdir()


def test_full_disk_names_file_after_pickling_and_keeps_old_content(tmp_path, monkeypatch):
    path = tmp_path / "file.bin"
    write_bytes(path, b"old")

    def full(*_):
        raise os_error(errno.ENOSPC)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space") as raised:
        write_bytes(path, b"new")
    error = disk_error(pickle.loads(pickle.dumps(raised.value)))
    assert error is not None
    assert str(path) in error.problem
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
