"""Processes that do not outlive the one that started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="prctl is Linux's")

STUBBORN = """
import signal, sys, time
from pathlib import Path
from tryon import processes
processes.GRACE = 0.5
signal.signal(signal.SIGTERM, lambda *_: None)
processes.follow_parent()
Path(sys.argv[1]).write_text("here")
time.sleep(60)
"""


def child_of_a_killed_parent(command: list[str], note: Path) -> int:
    """Start `command` under a parent, kill the parent once `note` is written, return the id of the child."""
    code = "import subprocess, sys; child = subprocess.Popen(sys.argv[1:]); print(child.pid, flush=True); child.wait()"
    with subprocess.Popen([sys.executable, "-c", code, *command], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        wait_until(note.exists)
        parent.send_signal(signal.SIGKILL)
    return child


@linux
def test_a_command_ends_with_its_parent(tmp_path: Path) -> None:
    note = tmp_path / "note"
    command = [sys.executable, "-m", "tryon.processes", "sh", "-c", f"touch {note}; exec sleep 60"]
    child = child_of_a_killed_parent(command, note)
    wait_until(lambda: not runs(child))


def test_even_one_that_does_not_heed_the_signal(tmp_path: Path) -> None:
    note = tmp_path / "note"
    child = child_of_a_killed_parent([sys.executable, "-c", STUBBORN, str(note)], note)
    wait_until(lambda: not runs(child))


def test_the_command_takes_the_place_of_the_module() -> None:
    done = subprocess.run([sys.executable, "-m", "tryon.processes", "sh", "-c", "exit 7"], check=False)
    assert done.returncode == 7


def runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True).stdout
    return bool(state.strip()) and not state.startswith("Z")


def wait_until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not true():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)
