"""What only an operating system can promise about processes, each with a harmless fallback where it cannot.

`python -m tryon.processes <command> ...` replaces itself by the command, which then ends when its parent does.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

PR_SET_PDEATHSIG = 1
"""Number of the Linux `prctl` option that names a signal to be sent when the parent goes."""


GRACE = 5.0
"""Seconds for tidying up after the parent has gone."""


def end_with_parent() -> None:
    """Have this process sent SIGTERM when its parent dies, however it dies. Does nothing where there is no `prctl`.

    The wish survives `exec`, not `fork`. It follows the thread that forked, so that thread has to outlive the child.
    """
    if not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    except (OSError, AttributeError):
        return
    if os.getppid() != parent:  # it died before the wish was spoken
        os.kill(os.getpid(), signal.SIGTERM)


def follow_parent() -> None:
    """`end_with_parent`, and no longer than `GRACE` after it: whoever still tidies up then is cut short.

    Tidying up can take minutes, for instance when the server that is to be told has gone as well.
    """
    parent = os.getppid()
    end_with_parent()
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    time.sleep(GRACE)
    os._exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    end_with_parent()
    os.execvp(sys.argv[1], sys.argv[1:])
