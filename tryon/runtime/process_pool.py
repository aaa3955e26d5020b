"""Process pools: number of workers, mapping over chunks, and the memory settings of workers.

The number of workers never changes a result.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, BrokenExecutor, ProcessPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import TypeVar

import numpy as np

from tryon.errors import ParameterError, TryOnError
from tryon.runtime.progress import Progress

Item = TypeVar("Item")
Result = TypeVar("Result")

CPU_MAX = Path("/sys/fs/cgroup/cpu.max")
"""CPU quota of a container (cgroup v2): microseconds of CPU time and the length of the period."""

_PROBE_BYTES = 30 * 2**20


def worker_count() -> int:
    """Return the number of worker processes: `TRYON_WORKERS`, else the usable CPUs within the container's quota."""
    return _count_from_env("TRYON_WORKERS")


def thread_count() -> int:
    """Return the number of torch's CPU threads: `TRYON_THREADS`, else the usable CPUs within the container's quota."""
    return _count_from_env("TRYON_THREADS")


def _count_from_env(variable: str) -> int:
    text = os.environ.get(variable)
    if text is None:
        cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return min(cpus, _cpu_quota() or cpus)
    if not text.isdecimal() or int(text) < 1:
        raise ParameterError(f"{variable} is not a positive integer", found=text)
    return int(text)


def _cpu_quota() -> int | None:
    """Return the container's CPU quota rounded up to whole CPUs, or None without a quota."""
    try:
        quota, period = CPU_MAX.read_text().split()
        return max(1, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):  # no such file, or its first word is `max`
        return None


def process_pool(workers: int) -> ProcessPoolExecutor:
    """Return a pool of spawned processes, which exit with this process even if it is killed."""
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_exit_with_parent)


def _exit_with_parent() -> None:
    """Start a thread that ends this worker with its parent; it would wait for work forever."""

    def watch() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def translate_worker_death() -> Iterator[None]:
    """Raise the death of a worker process inside the block as a `TryOnError`."""
    try:
        yield
    except BrokenExecutor as error:
        raise TryOnError(
            "a worker process was killed, probably for lack of memory",
            hint="Set TRYON_WORKERS to a smaller number and run the command again.",
        ) from error


def split_chunks(items: Sequence[Item], size: int) -> list[Sequence[Item]]:
    """Split `items` into chunks of `size`; the last may be shorter.

    >>> split_chunks("abcde", 2)
    ['ab', 'cd', 'e']
    """
    return [items[start : start + size] for start in range(0, len(items), size)]


def map_chunks(
    work: Callable[[Sequence[Item]], Result], chunks: Sequence[Sequence[Item]], progress: Progress, label: str
) -> list[Result]:
    """Call `work` on every chunk, in worker processes if there are several chunks and several CPUs.

    Args:
        work: a picklable function.
        chunks: the result of `split_chunks`.
        progress: receives the number of finished items.
        label: name of the work for `progress`.

    Returns:
        The results in the order of `chunks`. The first error cancels the rest and is raised unchanged.

    Raises:
        TryOnError: a worker was killed.
    """
    total = sum(map(len, chunks))
    workers = min(worker_count(), len(chunks))
    done = 0
    progress(done, total, label)
    if workers < 2:
        results: list[Result] = []
        for chunk in chunks:
            results.append(work(chunk))
            done += len(chunk)
            progress(done, total, label)
        return results
    with translate_worker_death(), process_pool(workers) as pool:
        sizes = {pool.submit(work, chunk): len(chunk) for chunk in chunks}
        pending = set(sizes)
        try:
            while pending:
                finished, pending = wait(pending, timeout=1, return_when=FIRST_EXCEPTION)
                for future in finished:
                    future.result()
                    done += sizes[future]
                progress(done, total, label)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [future.result() for future in sizes]


@cache
def raise_mmap_threshold() -> None:
    """Make glibc reuse freed array memory, up to twice 30 MB, instead of returning it to the system.

    Fetching arrays of some 100 kB page by page took five times as long as computing a mask on them, a tenth of the
    time of drawing an image and half of decoding one. glibc's thresholds follow the largest block that was freed
    (mallopt(3), M_MMAP_THRESHOLD; 32 MB at most), so freeing one large untouched block raises them. Other C libraries
    are unaffected.
    """
    np.empty(_PROBE_BYTES, np.uint8)
