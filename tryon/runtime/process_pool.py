"""Work spread over processes, shard by shard. How many there are changes the time, never a result."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, BrokenExecutor, Future, ProcessPoolExecutor, wait
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
"""Where a container sees its quota: microseconds of CPU time, and the period that they are for."""


def worker_count() -> int:
    """Processes to use: `TRYON_WORKERS`, or the CPUs that this process may run on, a container's quota heeded.

    Raises:
        ParameterError: `TRYON_WORKERS` is not a whole number of at least 1.
    """
    return _count_from_env("TRYON_WORKERS")


def thread_count() -> int:
    """Threads of torch on the CPU: `TRYON_THREADS`, or as many as `worker_count` has CPUs.

    Raises:
        ParameterError: `TRYON_THREADS` is not a whole number of at least 1.
    """
    return _count_from_env("TRYON_THREADS")


def _count_from_env(variable: str) -> int:
    text = os.environ.get(variable)
    if text is None:
        cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return min(cpus, _cpu_quota() or cpus)
    if not text.isdecimal() or int(text) < 1:
        raise ParameterError(variable, expected="is a whole number of at least 1", found=text)
    return int(text)


def _cpu_quota() -> int | None:
    """CPUs that the container's quota amounts to, rounded up; None where there is no quota (Linux cgroup v2)."""
    try:
        quota, period = CPU_MAX.read_text().split()
        return max(1, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):  # no such file, or its first word is `max`
        return None


def split_chunks(items: Sequence[Item], size: int) -> list[Sequence[Item]]:
    """Cut `items` into runs of `size`; the last may be shorter."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def process_pool(workers: int) -> ProcessPoolExecutor:
    """Fresh processes that share nothing with this one's threads, and end when it does, however it ends."""
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_initialize_worker)


@contextmanager
def translate_worker_death() -> Iterator[None]:
    """Turn the death of a worker process inside the block into one message.

    Raises:
        TryOnError: a worker was killed.
    """
    try:
        yield
    except BrokenExecutor as error:
        remedy = "The usual cause is too little memory: set TRYON_WORKERS to a smaller number, then run it again."
        raise TryOnError("a worker process", expected="lives until its work is done", hint=remedy) from error


def map_chunks(
    work: Callable[[Sequence[Item]], Result], chunks: Sequence[Sequence[Item]], progress: Progress, what: str
) -> list[Result]:
    """Call `work` on every part, in worker processes when there are several parts and several CPUs.

    Args:
        work: a module-level function, or a `functools.partial` of one, that can be pickled.
        chunks: what `shards` gave.
        progress: told the number of finished items.
        what: name of the work for `progress`.

    Returns:
        The results in the order of `parts`. The first error stops the work and is raised as it was.

    Raises:
        TryOnError: a worker was killed.
    """
    total = sum(map(len, chunks))
    workers = min(worker_count(), len(chunks))
    progress(0, total, what)
    if workers < 2:
        return _map_serial(work, chunks, progress, what, total)
    with translate_worker_death(), process_pool(workers) as pool:
        futures = {pool.submit(work, part): len(part) for part in chunks}
        try:
            _collect_results(futures, progress, what, total)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [future.result() for future in futures]


def _map_serial(
    work: Callable[[Sequence[Item]], Result],
    chunks: Sequence[Sequence[Item]],
    progress: Progress,
    what: str,
    total: int,
) -> list[Result]:
    results, done = [], 0
    for part in chunks:
        results.append(work(part))
        done += len(part)
        progress(done, total, what)
    return results


def _collect_results(futures: dict[Future, int], progress: Progress, what: str, total: int) -> None:
    waiting = set(futures)
    done = 0
    while waiting:
        finished, waiting = wait(waiting, timeout=1, return_when=FIRST_EXCEPTION)
        for future in finished:
            future.result()
            done += futures[future]
        progress(done, total, what)


def _initialize_worker() -> None:
    """Leave no orphan: a worker whose parent was killed would wait for work for ever."""
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


_BLOCK = 30 * 2**20


@cache
def raise_mmap_threshold() -> None:
    """Make the C library keep what is freed for the next array, up to twice 30 MB; once in a process.

    glibc gives the memory of arrays of some 100 kB back to the system as soon as they are freed, and fetching it again,
    page by page, was measured to take five times as long as what a mask does with it, a tenth of drawing a image and
    half of decoding one. Its thresholds follow the largest block that it ever took from the system and gave back
    (mallopt(3), M_MMAP_THRESHOLD; 32 MB at most), so one block that is freed untouched raises them. Other C libraries
    do not care.
    """
    np.empty(_BLOCK, np.uint8)
