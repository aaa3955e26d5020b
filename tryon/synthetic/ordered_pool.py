"""Run jobs in worker processes and yield their results in order.

Workers import only this module and the renderer: importing the settings would take a quarter of their start-up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

import cv2

from tryon.runtime.process_pool import process_pool, translate_worker_death, worker_count
from tryon.synthetic.item_files import ItemOutput

Job = Callable[[], ItemOutput]
"""Picklable call that renders one item."""

_QUEUED_PER_WORKER = 4
"""Queued jobs per worker; bounds the memory."""


def run_in_order(jobs: list[Job]) -> Iterator[ItemOutput]:
    """Run jobs in worker processes, a bounded number ahead of the consumer, and yield results in order."""
    workers = min(worker_count(), len(jobs))
    if workers < 2:
        yield from map(_run, jobs)
        return
    with translate_worker_death(), process_pool(workers) as pool:
        pending = deque(pool.submit(_run, job) for job in jobs[: workers * _QUEUED_PER_WORKER])
        try:
            for job in jobs[workers * _QUEUED_PER_WORKER :]:
                output = pending.popleft().result()
                pending.append(pool.submit(_run, job))
                yield output
            while pending:
                yield pending.popleft().result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _run(job: Job) -> ItemOutput:
    cv2.setNumThreads(1)  # the processes share the cores
    return job()
