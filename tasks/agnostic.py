"""The tasks of the agnostic stage: plan one category, make the masks shard by shard, collect them.

A task is a few shards, some seconds of work. The tasks run on threads that wait for one pool of processes, where the
work is done.
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
from tasks.run_stage import is_retryable
from tryon.agnostic.quality_limits import MaskQualityError
from tryon.categories import Category
from tryon.config.parameters import load_parameters
from tryon.pipeline.disk_space import check_disk
from tryon.runtime.process_pool import process_pool, worker_count
from tryon.runtime.progress import Progress
from tryon.runtime.stage_result import StageResult
from tryon.workspace import Workspace

SHARDS_PER_TASK = 32
"""At most. A task costs Prefect and its server 75 ms of CPU, a shard of masks takes half a second to one; how far the
run is, is told shard by shard whatever a task is."""


class MaskRun:
    """The masks of one category in the making: the plan, the processes, how far it is. For any thread.

    No dataclass, so that Prefect hands it to tasks as it is instead of looking for futures in every person of the plan.
    """

    def __init__(self, planned: stage.MaskPlan, workspace: Workspace, progress: Progress) -> None:
        self.planned = planned
        self.workspace = workspace
        self._progress = progress
        self._done = 0
        self._lock = threading.Lock()
        self._workers = min(worker_count(), len(planned.shards))
        self._pool: ProcessPoolExecutor | None = self._new_pool()

    @property
    def parts(self) -> list[range]:
        """Numbers of the shards of each task; few shards make small parts, so that no process is idle for long."""
        count = len(self.planned.shards)
        step = min(max(count // (2 * max(self._workers, 1)), 1), SHARDS_PER_TASK)
        return [range(start, min(start + step, count)) for start in range(0, count, step)]

    def make(self, shard: int) -> None:
        """Make one shard. Processes that died, of too little memory for example, are replaced for the next try."""
        pool = self._pool
        try:
            people = stage.run_shard(self.planned, shard, self.workspace, pool)
        except BrokenExecutor:
            with self._lock:
                if self._pool is pool:
                    self._pool = self._new_pool()
            raise
        with self._lock:
            self._done += people
            self._progress(self._done, self.planned.people, f"{self.planned.category} masks")

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _new_pool(self) -> ProcessPoolExecutor | None:
        return process_pool(self._workers) if self._workers > 1 else None


@contextmanager
def prepare_masks(category: Category) -> Iterator[MaskRun]:
    """Plan one category of the project in the current directory; ends the processes afterwards."""
    with progress_artifact(f"agnostic@{category}") as progress:
        masks = plan(category, progress)
        try:
            yield masks
        finally:
            masks.close()


@task(name="agnostic", task_run_name="plan", cache_policy=NO_CACHE)
def plan(category: Category, progress: Progress) -> MaskRun:
    """Read the index and cut the work into shards."""
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
    """Make the masks of some shards, unless they lie in the work area already."""
    for shard in shards:
        masks.make(shard)


@task(name="agnostic", task_run_name="collect", cache_policy=NO_CACHE)
def collect(masks: MaskRun) -> StageResult:
    """Make the manifest of all shards; masks beyond the limits are shown."""
    source, category = load_parameters(masks.workspace.params_file).download.source, masks.planned.category
    try:
        summary = stage.collect(masks.planned, masks.workspace)
    except MaskQualityError as error:
        worst = masks.workspace.preview(category).read_bytes()
        publish(StageResult(f"agnostic@{category}", str(error), images={"beyond limits": worst}), source)
        raise
    publish(summary, source)
    return summary
