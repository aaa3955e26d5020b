"""Tasks of the agnostic stage: plan a category, make the masks of some shards, collect them.

A task covers a few shards, some seconds of work. Tasks run in threads that share one process pool.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import contextmanager

from prefect import task
from prefect.cache_policies import NO_CACHE

import tryon.agnostic.stage as stage
from tasks.artifacts import progress_artifact, publish
from tasks.stage_tasks import is_retryable
from tryon.agnostic.quality_limits import MaskQualityError
from tryon.categories import Category
from tryon.config.parameters import load_parameters
from tryon.pipeline.disk_space import check_disk
from tryon.runtime.process_pool import process_pool, worker_count
from tryon.runtime.progress import Progress
from tryon.runtime.stage_result import StageResult
from tryon.workspace import Workspace

SHARDS_PER_TASK = 32
"""Maximum. A task costs Prefect and its server 75 ms of CPU, a shard of masks takes 0.5 to 1 s. Progress is reported by
shard, whatever the size of a task."""


class MaskRun:
    """Plan, process pool and progress of one category. Thread-safe.

    Not a dataclass: Prefect would search every person of its plan for futures.
    """

    def __init__(self, plan: stage.MaskPlan, workspace: Workspace, progress: Progress) -> None:
        self.plan = plan
        self.workspace = workspace
        self._progress = progress
        self._done = 0
        self._lock = threading.Lock()
        self._workers = min(worker_count(), len(plan.shards))
        self._pool: ProcessPoolExecutor | None = self._new_pool()

    @property
    def shard_ranges(self) -> list[range]:
        """Shards of each task; with few shards, tasks are small to keep all processes busy."""
        count = len(self.plan.shards)
        step = min(max(count // (2 * max(self._workers, 1)), 1), SHARDS_PER_TASK)
        return [range(start, min(start + step, count)) for start in range(0, count, step)]

    def run_shard(self, shard: int) -> None:
        """Make the masks of a shard. If processes died, replace the pool for the retry of the task."""
        pool = self._pool
        try:
            people = stage.run_shard(self.plan, shard, self.workspace, pool)
        except BrokenExecutor:
            with self._lock:
                if self._pool is pool:
                    self._pool = self._new_pool()
            raise
        with self._lock:
            self._done += people
            self._progress(self._done, self.plan.num_people, f"{self.plan.category} masks")

    def close(self) -> None:
        """Shut down the process pool."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _new_pool(self) -> ProcessPoolExecutor | None:
        return process_pool(self._workers) if self._workers > 1 else None


@contextmanager
def prepare_masks(category: Category) -> Iterator[MaskRun]:
    """Plan a category of the project in the current directory; on exit, shut down its processes."""
    with progress_artifact(f"agnostic@{category}") as progress:
        masks = plan(category, progress)
        try:
            yield masks
        finally:
            masks.close()


@task(name="agnostic", task_run_name="plan", cache_policy=NO_CACHE)
def plan(category: Category, progress: Progress) -> MaskRun:
    """Read the index and split the work into shards."""
    workspace = Workspace()
    parameters = load_parameters(workspace.params_file)
    check_disk("agnostic", parameters, workspace, category)
    return MaskRun(stage.plan(category, parameters.agnostic, parameters.image.size, workspace), workspace, progress)


@task(
    name="agnostic",
    task_run_name="shards {shards.start} to {shards.stop}",
    retries=2,
    retry_delay_seconds=2,
    retry_condition_fn=is_retryable,
    cache_policy=NO_CACHE,
)
def make_shards(shards: range, masks: MaskRun) -> None:
    """Make the masks of some shards, unless the work folder already has them."""
    for shard in shards:
        masks.run_shard(shard)


@task(name="agnostic", task_run_name="collect", cache_policy=NO_CACHE)
def collect(masks: MaskRun) -> StageResult:
    """Write the manifest of all shards; if the quality limits are violated, publish the worst masks."""
    source, category = load_parameters(masks.workspace.params_file).download.source, masks.plan.category
    try:
        result = stage.collect(masks.plan, masks.workspace)
    except MaskQualityError as error:
        worst = masks.workspace.preview(category).read_bytes()
        publish(StageResult(f"agnostic@{category}", str(error), images={"rejected masks": worst}), source)
        raise
    publish(result, source)
    return result
