"""Child processes: environment, exit codes, termination of process groups."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tasks.subprocesses import child_env, spawn, terminate_group, wait_or_kill


def test_this_interpreter_is_first_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(Path(sys.executable).parent)
    monkeypatch.setenv("PATH", os.pathsep.join(["/usr/bin", folder]))
    env = child_env({"EXTRA": "value"})
    assert env["PATH"].split(os.pathsep) == [folder, "/usr/bin"]
    assert env["EXTRA"] == "value"
    done = subprocess.run(["python", "-c", "import sys; print(sys.prefix)"], env=env, capture_output=True)
    assert done.stdout.decode().strip() == sys.prefix


def test_wait_or_kill_returns_the_exit_code(tmp_path: Path) -> None:
    assert wait_or_kill(spawn([sys.executable, "-c", "raise SystemExit(3)"], tmp_path)) == 3


def test_terminate_group_ends_grandchildren(tmp_path: Path) -> None:
    note = tmp_path / "note"
    child = spawn(["sh", "-c", f"sleep 60 & echo $! > {note}; wait"], tmp_path)
    until = time.monotonic() + 30
    while not (note.exists() and note.read_text().strip()):
        assert time.monotonic() < until
        time.sleep(0.05)
    grandchild = int(note.read_text())
    terminate_group(child)
    assert child.poll() is not None
    assert not _is_alive(grandchild)


def test_interrupted_wait_ends_the_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = spawn(["sleep", "60"], tmp_path)
    waits = [KeyboardInterrupt(), None, None]

    def interrupted(timeout: float | None = None) -> int:
        if (error := waits.pop(0)) is not None:
            raise error
        return subprocess.Popen.wait(child, timeout)

    monkeypatch.setattr(child, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        wait_or_kill(child)
    assert not _is_alive(child.pid)


def _is_alive(process: int) -> bool:
    """Return whether a process runs and is not a zombie."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        try:
            state = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True).stdout
        except ProcessLookupError:
            return False
        if not state.strip() or state.startswith("Z"):
            return False
        time.sleep(0.1)
    return True
