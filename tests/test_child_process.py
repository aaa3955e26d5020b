"""Child processes end with their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tryon import child_process

pytestmark = pytest.mark.slow

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="prctl exists on Linux only")

IGNORES_SIGTERM = """
import signal, sys, time
from pathlib import Path
from tryon import child_process
child_process.TERM_TIMEOUT = 0.5
signal.signal(signal.SIGTERM, lambda *_: None)
child_process.exit_with_parent()
Path(sys.argv[1]).write_text("ready")
time.sleep(60)
"""


WITHOUT_PRCTL = """
import sys
from tryon import child_process
child_process.TERM_TIMEOUT = 0.5
child_process.set_pdeathsig = lambda: False
raise SystemExit(child_process.exec_with_pdeathsig(sys.argv[1:]))
"""


def orphaned_child(command: list[str], marker: Path) -> int:
    """Start `command` under a parent, kill the parent once the child has written `marker`, return the child's id."""
    code = "import subprocess, sys; child = subprocess.Popen(sys.argv[1:]); print(child.pid, flush=True); child.wait()"
    with subprocess.Popen([sys.executable, "-c", code, *command], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        wait_until(marker.exists)
        parent.send_signal(signal.SIGKILL)
    return child


@linux
def test_command_ends_with_its_parent(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    command = [sys.executable, "-m", "tryon.child_process", "sh", "-c", f"touch {marker}; exec sleep 60"]
    child = orphaned_child(command, marker)
    wait_until(lambda: not is_alive(child))


def test_process_that_ignores_sigterm_ends_with_its_parent(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    child = orphaned_child([sys.executable, "-c", IGNORES_SIGTERM, str(marker)], marker)
    wait_until(lambda: not is_alive(child))


def test_command_ends_with_its_parent_without_prctl(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    ignores = f"trap '' TERM; echo $$ > {marker}.new; mv {marker}.new {marker}; while :; do sleep 0.2; done"
    child = orphaned_child([sys.executable, "-c", WITHOUT_PRCTL, "sh", "-c", ignores], marker)
    wait_until(lambda: not is_alive(child) and not is_alive(int(marker.read_text())))


def test_exit_code_is_forwarded_without_prctl() -> None:
    command = [sys.executable, "-c", WITHOUT_PRCTL, "sh", "-c"]
    assert subprocess.run([*command, "exit 7"], check=False).returncode == 7
    assert subprocess.run([*command, "kill -9 $$"], check=False).returncode == 128 + signal.SIGKILL


def test_prctl_is_only_used_on_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr("ctypes.CDLL", None)
    assert not child_process.set_pdeathsig()


def test_zombie_is_not_running(monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        assert child_process.is_running(child.pid)
        child.kill()
        wait_until(lambda: not child_process.is_running(child.pid))
        monkeypatch.setattr(Path, "read_text", lambda path: path.with_name("nowhere").read_bytes())  # no /proc
        assert child_process.is_running(child.pid)
    assert not child_process.is_running(child.pid)


def test_child_is_signaled_without_process_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    assert child_process.new_process_group() == 0
    monkeypatch.delattr(os, "killpg")
    assert child_process.new_process_group() is None
    with subprocess.Popen(["sleep", "60"], process_group=child_process.new_process_group()) as child:
        child_process.signal_group(child, signal.SIGKILL)
        assert child.wait(30) == -signal.SIGKILL
        child_process.signal_group(child, signal.SIGKILL)


def test_module_is_replaced_by_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "tryon.child_process", "sh", "-c", "exit 7"], check=False)
    assert done.returncode == 7


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True).stdout
    return bool(state.strip()) and not state.startswith("Z")


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.05)
