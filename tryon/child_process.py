"""Start, signal and end processes across operating systems.

`python -m tryon.child_process <command> ...` runs the command and ends it when the parent process dies.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1  # option of Linux's `prctl` that sets the signal sent when the parent dies
TERM_TIMEOUT = 5.0  # seconds between SIGTERM and SIGKILL after the parent has died


def set_pdeathsig() -> bool:
    """Have this process receive SIGTERM when its parent dies.

    The setting survives `exec` but not `fork`. It is bound to the thread that forked, which has to outlive the child.

    Returns:
        Whether the setting was made; only Linux supports it.
    """
    if not sys.platform.startswith("linux"):
        return False
    parent = os.getppid()
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    except (OSError, AttributeError):
        return False
    if os.getppid() != parent:  # it died before the call
        os.kill(os.getpid(), signal.SIGTERM)
    return True


def exit_with_parent() -> None:
    """Have this process end when its parent dies, at most `TERM_TIMEOUT` seconds after SIGTERM.

    The limit is needed because cleanup can take minutes, for example if the Prefect server is gone as well.
    """
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        time.sleep(TERM_TIMEOUT)
        os._exit(128 + signal.SIGTERM)

    set_pdeathsig()
    threading.Thread(target=watch, daemon=True).start()


def new_process_group() -> int | None:
    """Return the `process_group` argument of `Popen` for a new group; None where groups are not supported."""
    return 0 if hasattr(os, "killpg") else None


def signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to a child's process group, or to the child alone where groups are not supported."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(child.pid, number)
        else:
            child.send_signal(number)
    except (ProcessLookupError, PermissionError):  # it has ended
        return


def is_running(process: int) -> bool:
    """Return whether a process is running; zombies are not, where /proc shows them."""
    try:
        os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except OSError:  # another user's process, or no /proc
        return True


def exec_with_pdeathsig(command: Sequence[str]) -> int:
    """Replace this process by a command that ends with the parent; without `prctl`, run it as a child.

    Returns:
        The exit code of the child, which ends at most `TERM_TIMEOUT` and a second after the parent.
    """
    parent = os.getppid()
    if set_pdeathsig():
        os.execvp(command[0], list(command))
    child = subprocess.Popen(command)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    while child.poll() is None and os.getppid() == parent:
        time.sleep(0.2)
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(TERM_TIMEOUT)
        except subprocess.TimeoutExpired:
            child.kill()
    code = child.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    raise SystemExit(exec_with_pdeathsig(sys.argv[1:]))
