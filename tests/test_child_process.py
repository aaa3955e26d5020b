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

from tryon import child_process as processes

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="prctl is Linux's")

STUBBORN = """
import signal, sys, time
from pathlib import Path
from tryon import processes
processes.TERM_TIMEOUT = 0.5
signal.signal(signal.SIGTERM, lambda *_: None)
processes.exit_with_parent()
Path(sys.argv[1]).write_text("here")
time.sleep(60)
"""


WITHOUT_PRCTL = """
import sys
from tryon import processes
processes.TERM_TIMEOUT = 0.5
processes.set_pdeathsig = lambda: False
raise SystemExit(processes.run(sys.argv[1:]))
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
    command = [sys.executable, "-m", "tryon.child_process", "sh", "-c", f"touch {note}; exec sleep 60"]
    child = child_of_a_killed_parent(command, note)
    wait_until(lambda: not runs(child))


def test_even_one_that_does_not_heed_the_signal(tmp_path: Path) -> None:
    note = tmp_path / "note"
    child = child_of_a_killed_parent([sys.executable, "-c", STUBBORN, str(note)], note)
    wait_until(lambda: not runs(child))


def test_where_there_is_no_prctl_a_command_ends_with_its_parent_all_the_same(tmp_path: Path) -> None:
    note = tmp_path / "note"
    ignores = f"trap '' TERM; echo $$ > {note}.new; mv {note}.new {note}; while :; do sleep 0.2; done"
    child = child_of_a_killed_parent([sys.executable, "-c", WITHOUT_PRCTL, "sh", "-c", ignores], note)
    wait_until(lambda: not runs(child) and not runs(int(note.read_text())))


def test_where_there_is_no_prctl_the_exit_code_comes_through() -> None:
    command = [sys.executable, "-c", WITHOUT_PRCTL, "sh", "-c"]
    assert subprocess.run([*command, "exit 7"], check=False).returncode == 7
    assert subprocess.run([*command, "kill -9 $$"], check=False).returncode == 128 + signal.SIGKILL


def test_prctl_is_asked_on_linux_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr("ctypes.CDLL", None)
    assert not processes.set_pdeathsig()


def test_a_process_that_has_ended_does_not_run_though_nobody_has_collected_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        assert processes.is_running(child.pid)
        child.kill()
        wait_until(lambda: not processes.is_running(child.pid))
        monkeypatch.setattr(Path, "read_text", lambda path: path.with_name("nowhere").read_bytes())  # no /proc
        assert processes.is_running(child.pid)
    assert not processes.is_running(child.pid)


def test_where_there_are_no_groups_the_child_alone_is_signalled(monkeypatch: pytest.MonkeyPatch) -> None:
    assert processes.new_process_group() == 0
    monkeypatch.delattr(os, "killpg")
    assert processes.new_process_group() is None
    with subprocess.Popen(["sleep", "60"], process_group=processes.new_process_group()) as child:
        processes.signal_group(child, signal.SIGKILL)
        assert child.wait(30) == -signal.SIGKILL
        processes.signal_group(child, signal.SIGKILL)


def test_the_command_takes_the_place_of_the_module() -> None:
    done = subprocess.run([sys.executable, "-m", "tryon.child_process", "sh", "-c", "exit 7"], check=False)
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
