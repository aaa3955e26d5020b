"""What only an operating system can promise about processes, each in one function, with a way to do without.

`python -m tryon.child_process <command> ...` is the command, which then ends when its parent does.
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

PR_SET_PDEATHSIG = 1
"""Number of the Linux `prctl` option that names a signal to be sent when the parent goes."""


TERM_TIMEOUT = 5.0
"""Seconds for tidying up after the parent has gone."""


def set_pdeathsig() -> bool:
    """Have this process sent SIGTERM when its parent dies, however it dies.

    The wish survives `exec`, not `fork`. It follows the thread that forked, so that thread has to outlive the child.

    Returns:
        False where there is no `prctl`: only Linux has it.
    """
    if not sys.platform.startswith("linux"):
        return False
    parent = os.getppid()
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    except (OSError, AttributeError):
        return False
    if os.getppid() != parent:  # it died before the wish was spoken
        os.kill(os.getpid(), signal.SIGTERM)
    return True


def exit_with_parent() -> None:
    """`set_pdeathsig`, and no longer than `TERM_TIMEOUT` after it: whoever still tidies up then is cut short.

    Tidying up can take minutes, for instance when the server that is to be told has gone as well.
    """
    parent = os.getppid()
    set_pdeathsig()
    threading.Thread(target=_wait_for_parent_exit, args=(parent,), daemon=True).start()


def new_process_group() -> int | None:
    """The `process_group` of `Popen` that gives a child a group of its own; None where there are no such groups."""
    return 0 if hasattr(os, "killpg") else None


def signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to a child and all in its group, or to the child alone where there are no groups."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(child.pid, number)
        else:
            child.send_signal(number)
    except (ProcessLookupError, PermissionError):  # it has ended
        return


def is_running(process: int) -> bool:
    """Whether a process runs. One that has ended and waits for its parent to collect it does not, where /proc tells."""
    try:
        os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's, or there is no /proc
        return True


def exec_with_pdeathsig(command: Sequence[str]) -> int:
    """Be a command that ends with its parent: in this process where `prctl` sees to it, else as a child of it.

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


def _wait_for_parent_exit(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    time.sleep(TERM_TIMEOUT)
    os._exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    raise SystemExit(exec_with_pdeathsig(sys.argv[1:]))
