"""Graceful stop on SIGTERM: finish the step, save a checkpoint, exit.

Cluster schedulers, containers and the pipeline send SIGTERM before they kill. Exit code 143 (128 + SIGTERM) means that
the same command resumes the run.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import NoReturn

SIGTERM_EXIT_CODE = 128 + signal.SIGTERM
"""Exit code of a run stopped by SIGTERM."""


class SigtermHandler:
    """Records SIGTERM inside a `with` block instead of ending the process.

    Has no effect outside the main thread, or where the process ignores SIGTERM.

    Attributes:
        requested: whether the signal was received.
    """

    def __init__(self) -> None:
        self.requested = False
        self._installed = False
        self._previous = signal.getsignal(signal.SIGTERM)

    def __enter__(self) -> SigtermHandler:
        if threading.current_thread() is threading.main_thread() and self._previous is not signal.SIG_IGN:
            signal.signal(signal.SIGTERM, self._on_signal)
            self._installed = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._installed:
            signal.signal(signal.SIGTERM, self._previous)

    def exit(self) -> NoReturn:
        """Call the previous signal handler, or exit with `SIGTERM_EXIT_CODE`."""
        if callable(self._previous):
            self._previous(signal.SIGTERM, None)
        raise SystemExit(SIGTERM_EXIT_CODE)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
