"""The agnostic flow, for one category."""

from __future__ import annotations

from typing import Any

from prefect import flow, unmapped
from prefect.task_runners import ThreadPoolTaskRunner

from tasks.agnostic import collect, make_shards, prepare_masks
from tryon.categories import Category
from tryon.runtime.process_pool import translate_worker_death, worker_count
from tryon.runtime.stage_result import StageResult

THREADS: Any = ThreadPoolTaskRunner(worker_count())


@flow(name="agnostic", flow_run_name="agnostic@{category}", task_runner=THREADS)
def agnostic(category: Category) -> StageResult:
    """Mask the garment to be replaced."""
    with translate_worker_death(), prepare_masks(category) as masks:
        shards = make_shards.map(masks.shard_ranges, unmapped(masks))
        shards.wait()  # for all, so that after a failure the finished shards can be reused
        shards.result()
        return collect(masks)
