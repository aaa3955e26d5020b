"""The other processes of this machine: started before training, watched while it lasts, gone after it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from tryon.training.interruption import EXIT_CODE
from tryon.training.job import Job

PATIENCE = 10.0
"""Seconds that the others get to end by themselves after this process has."""

GRACE = 5.0
"""Seconds between the end of a worker and that of this process, which may have the same reason and tell it itself."""

PROCESSES = "tryon.processes"
"""Module that ends a child with its parent, run and not imported."""


@contextmanager
def company(job: Job, root: Path) -> Iterator[None]:
    """Have the other devices of this machine trained on, each by a worker process, for as long as the block lasts.

    Does nothing for one device, or where something else (torchrun, the stage) started the processes. If a worker dies,
    this process ends too: it would wait for the worker's gradients for ever.
    """
    here = range(1, job.settings.devices) if job.place.started_here else range(0)
    children = [_start(job, root, number) for number in here]
    over = threading.Event()
    threads = [threading.Thread(target=_watch, args=(child, over), daemon=True) for child in children]
    for thread in threads:
        thread.start()
    try:
        yield
        over.set()
        for child in children:
            with suppress(subprocess.TimeoutExpired):  # all that it could give has been received
                child.wait(PATIENCE)
    finally:
        over.set()
        for child in children:
            child.kill()
            child.wait()


def _start(job: Job, root: Path, number: int) -> subprocess.Popen[bytes]:
    place = replace(job.place, rank=job.place.rank + number, local_rank=number)
    command = [sys.executable, "-m", "tryon", job.stage, "--worker", "--root", str(root)]
    return subprocess.Popen(
        [sys.executable, "-m", PROCESSES, *command],
        env={**os.environ, **place.environment()},
        stdin=subprocess.DEVNULL,
    )


def _watch(child: subprocess.Popen[bytes], over: threading.Event) -> None:
    code = child.wait()
    if code not in (0, EXIT_CODE) and not over.wait(GRACE):
        print(f"error: a worker process ended with exit code {code}; its own message says why", file=sys.stderr)
        os._exit(1)
