"""Items made in worker processes, delivered in their order.

Workers import this module and what makes items, nothing else: a quarter of their start would be the settings.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

import cv2

from tryon.runtime.process_pool import process_pool, translate_worker_death, worker_count
from tryon.synthetic.item_files import ItemOutput

Job = Callable[[], ItemOutput]
"""Makes one item; can be pickled."""

_AHEAD = 4
"""Jobs per worker that may wait for the writer: what bounds the memory."""


def run_in_order(jobs: list[Job]) -> Iterator[ItemOutput]:
    """Results of the jobs in their order, made in worker processes a little ahead of the one that is wanted."""
    workers = min(worker_count(), len(jobs))
    if workers < 2:
        yield from map(_run, jobs)
        return
    with translate_worker_death(), process_pool(workers) as pool:
        waiting = deque(pool.submit(_run, job) for job in jobs[: workers * _AHEAD])
        try:
            for job in jobs[workers * _AHEAD :]:
                made = waiting.popleft().result()
                waiting.append(pool.submit(_run, job))
                yield made
            while waiting:
                yield waiting.popleft().result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _run(job: Job) -> ItemOutput:
    cv2.setNumThreads(1)  # the processes share the cores
    return job()
