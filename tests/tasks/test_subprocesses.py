"""Children: whose Python they run, what their end takes along."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tasks.subprocesses import child_env, spawn, terminate_group, wait_or_kill


def test_python_is_this_python_wherever_it_stood_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    own = str(Path(sys.executable).parent)
    monkeypatch.setenv("PATH", os.pathsep.join(["/usr/bin", own]))
    surroundings = child_env({"WORD": "said"})
    assert surroundings["PATH"].split(os.pathsep) == [own, "/usr/bin"]
    assert surroundings["WORD"] == "said"
    found = subprocess.run(["python", "-c", "import sys; print(sys.prefix)"], env=surroundings, capture_output=True)
    assert found.stdout.decode().strip() == sys.prefix


def test_a_child_says_how_it_ended(tmp_path: Path) -> None:
    assert wait_or_kill(spawn([sys.executable, "-c", "raise SystemExit(3)"], tmp_path)) == 3


def test_a_grandchild_ends_with_the_child(tmp_path: Path) -> None:
    note = tmp_path / "note"
    child = spawn(["sh", "-c", f"sleep 60 & echo $! > {note}; wait"], tmp_path)
    until = time.monotonic() + 30
    while not (note.exists() and note.read_text().strip()):
        assert time.monotonic() < until
        time.sleep(0.05)
    grandchild = int(note.read_text())
    terminate_group(child)
    assert child.poll() is not None
    assert not _runs(grandchild)


def test_waiting_that_is_broken_off_ends_the_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = spawn(["sleep", "60"], tmp_path)
    waits = [KeyboardInterrupt(), None, None]

    def interrupted(timeout: float | None = None) -> int:
        if (error := waits.pop(0)) is not None:
            raise error
        return subprocess.Popen.wait(child, timeout)

    monkeypatch.setattr(child, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        wait_or_kill(child)
    assert not _runs(child.pid)


def _runs(process: int) -> bool:
    """Running, and not merely waiting to be collected."""
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
