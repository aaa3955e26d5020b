"""SIGTERM while a network is trained: the step is finished, the state kept, and then the process ends.

Schedulers of clusters, containers and the pipeline send it before they kill. Exit code 143 (128 + SIGTERM) says that
the run was broken off and that the same command goes on from where it was.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import NoReturn

SIGTERM_EXIT_CODE = 128 + signal.SIGTERM
"""Exit code of a run that was told to stop."""


class SigtermHandler:
    """Takes note of SIGTERM inside a `with` block instead of ending the process.

    Only the main thread can; in another one, or where the process ignores SIGTERM, nothing changes.

    Attributes:
        requested: whether the signal has come.
    """

    def __init__(self) -> None:
        self.requested = False
        self._taken = False
        self._before = signal.getsignal(signal.SIGTERM)

    def __enter__(self) -> SigtermHandler:
        if threading.current_thread() is threading.main_thread() and self._before is not signal.SIG_IGN:
            signal.signal(signal.SIGTERM, self._on_signal)
            self._taken = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._taken:
            signal.signal(signal.SIGTERM, self._before)

    def exit(self) -> NoReturn:
        """End as the process would have ended: by whoever handled the signal before, or with `EXIT_CODE`."""
        if callable(self._before):
            self._before(signal.SIGTERM, None)
        raise SystemExit(SIGTERM_EXIT_CODE)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
