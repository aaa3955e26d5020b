"""What only an operating system can promise about processes, each with a harmless fallback where it cannot.

`python -m tryon.processes <command> ...` replaces itself by the command, which then ends when its parent does.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""Number of the Linux `prctl` option that names a signal to be sent when the parent goes."""


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


if __name__ == "__main__":
    end_with_parent()
    os.execvp(sys.argv[1], sys.argv[1:])
