"""Files and folders appear whole or not at all; hashes speak of content alone."""

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


def test_a_file_appears_whole_with_its_folder(tmp_path):
    path = tmp_path / "new" / "file.txt"
    write_text(path, "über")
    assert path.read_text(encoding="utf-8") == "über"
    assert [p.name for p in path.parent.iterdir()] == ["file.txt"]


def test_a_failed_write_keeps_the_old_content_and_leaves_nothing_behind(tmp_path):
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


def test_what_a_killed_process_left_is_overwritten(tmp_path):
    path = tmp_path / "file.txt"
    (tmp_path / ".file.txt.tmp").write_text("left by a killed process, and longer")
    write_text(path, "new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "stale").write_text("stale")
    with atomic_folder(folder) as temporary:
        (temporary / "fresh").write_text("fresh")
        assert (folder / "stale").exists()
    assert [p.name for p in folder.iterdir()] == ["fresh"]
    assert list(tmp_path.iterdir()) == [folder]


def test_a_failed_folder_keeps_the_old_one(tmp_path):
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


def test_a_file_in_the_place_of_a_folder_stays_and_is_told(tmp_path):
    (tmp_path / "out").write_text("somebody's")
    refused = pytest.raises(DiskError, match="Move the file that is in the way")
    with refused, translate_os_errors(), atomic_folder(tmp_path / "out"):
        raise AssertionError("begun")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("out", "somebody's")]


def test_the_old_folder_survives_a_process_that_is_killed_between_the_renames(tmp_path, monkeypatch):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "old").write_text("old")
    monkeypatch.setattr("tryon.runtime.atomic_files._restore_backup", lambda old, path: None)
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


def test_a_folder_is_on_disk_before_it_has_its_name(tmp_path, monkeypatch):
    flushed = []
    monkeypatch.setattr(
        "tryon.runtime.atomic_files.os.fsync", lambda number: flushed.append((tmp_path / "out").exists())
    )
    with atomic_folder(tmp_path / "out") as temporary:
        (temporary / "deep").mkdir()
        (temporary / "deep" / "file").write_text("content")
    assert flushed == [False]


def test_hash_of_a_file_is_the_hash_of_its_bytes(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_file(path) == sha256_bytes(b"abc") == expected


def test_digest_ignores_key_order_and_sees_values():
    assert short_hash({"a": 1, "b": [2]}) == short_hash({"b": [2], "a": 1})
    assert short_hash({"a": 1}) != short_hash({"a": 1.5})


def test_json_refuses_numbers_that_json_does_not_have(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "x.json", {"loss": float("nan")})
    assert not (tmp_path / "x.json").exists()


def refused(number, *names):
    return OSError(number, os.strerror(number), *names)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "Make room"),
        (errno.EDQUOT, "Make room"),
        (errno.EACCES, "rights"),
        (errno.EPERM, "rights"),
        (errno.EROFS, "Mount"),
        (errno.ENOTDIR, "file that is in the way"),
        (errno.EISDIR, "folder that is in the way"),
        (errno.ENAMETOOLONG, "shorter path"),
    ],
)
def test_what_the_disk_refuses_says_what_which_rule_and_what_to_do(number, said):
    told = disk_error(refused(number, "data/raw/x"), next_step="run `tryon x` again")
    assert isinstance(told, DiskError)
    assert (told.problem, told.found) == ("data/raw/x", os.strerror(number))
    assert told.expected
    assert said in told.hint
    assert told.hint.endswith(", then run `tryon x` again.")


@pytest.mark.parametrize(
    "error",
    [
        refused(errno.ENOENT, "gone"),  # whoever opens a file that is not there has a message of his own
        refused(errno.EACCES),  # not of a file: a port, say
        refused(errno.ECONNREFUSED),
        refused(errno.EPIPE),
        OSError("pyarrow has no number for this"),
        ValueError("a bug"),
    ],
)
def test_everything_else_stays_the_error_that_it_is(error):
    with pytest.raises(type(error)) as raised, translate_os_errors():
        raise error
    assert raised.value is error


def test_a_folder_that_is_there_already_is_no_mistake_of_the_users(tmp_path):
    with pytest.raises(FileExistsError), translate_os_errors():
        tmp_path.mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(DiskError, match="Move the file that is in the way"), translate_os_errors():
        (tmp_path / "file").mkdir()


def test_a_full_disk_names_the_file_even_from_another_process_and_keeps_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "file.bin"
    write_bytes(path, b"old")

    def full(*_):
        raise refused(errno.ENOSPC)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space") as raised:
        write_bytes(path, b"new")
    told = disk_error(pickle.loads(pickle.dumps(raised.value)))
    assert told is not None
    assert told.problem == str(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
