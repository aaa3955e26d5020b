"""The agnostic flow, for one category."""

from __future__ import annotations

from typing import Any

from prefect import flow, unmapped
from prefect.task_runners import ThreadPoolTaskRunner

from tasks.agnostic import collect, make_shards, masks_of
from tryon.categories import Category
from tryon.runtime.process_pool import deaths_told, worker_count
from tryon.runtime.stage_result import Summary

THREADS: Any = ThreadPoolTaskRunner(worker_count())


@flow(name="agnostic", flow_run_name="agnostic@{category}", task_runner=THREADS)
def agnostic(category: Category) -> Summary:
    """Hide the garment to be replaced."""
    with deaths_told(), masks_of(category) as masks:
        shards = make_shards.map(masks.parts, unmapped(masks))
        shards.wait()  # all of them: what is finished need not be made again after a failure
        shards.result()
        return collect(masks)
