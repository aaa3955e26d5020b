"""Measure many manifest rows: two processes against one, and time and memory per row as their number grows."""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import time
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from benchmarks.mask_people import write_index, write_people
from tryon.agnostic.shards import make_shard
from tryon.agnostic.stage import collect, plan, run_shard
from tryon.categories import Category
from tryon.config.agnostic import AgnosticSettings
from tryon.runtime.process_pool import map_chunks
from tryon.runtime.progress import no_progress
from tryon.workspace import Workspace

CATEGORY = Category.DRESSES
SIZE = (512, 384)
SETTINGS = AgnosticSettings.model_validate({"quality_limits": {"max_rejected_fraction": 1.0}})
DRAWN = 24
NUMBERS = (100, 1_000, 10_000, 54_000)
"""All people are drawn from 24; a row's cost does not depend on that, its files are read and hashed each time."""

FOR_PROCESSES = 20_000
"""So many rows that start-up, 0.4 s for each process, does not show."""

ROUNDS = 1


def scaling(workspace: Workspace) -> None:
    write_people(workspace, CATEGORY, DRAWN)
    print(f"{CATEGORY} {SIZE[0]}x{SIZE[1]}, one process: CPU ms per row, and its highest memory")
    print(f"{'rows':>8} {'plan':>8} {'masks':>8} {'collect':>8} {'MiB':>8} {'of it before':>13}")
    for number in NUMBERS:
        write_index(workspace, CATEGORY, DRAWN, number)
        with get_context("spawn").Pool(1) as pool:
            *spent, highest, before = pool.apply(stage_costs, (workspace,))
        print(f"{number:8}", *(f"{1000 * one / number:8.3f}" for one in spent), f"{highest:8.0f} {before:13.0f}")
    processes(workspace)


def stage_costs(workspace: Workspace) -> tuple[float, ...]:
    """Seconds of CPU time for plan, masks and collecting; MiB at the end, and before the masks were collected."""
    shutil.rmtree(workspace.work_dir("agnostic"), ignore_errors=True)  # masks of the last run would be taken from there
    since = time.process_time()
    planned = plan(CATEGORY, SETTINGS, SIZE, workspace)
    read = time.process_time()
    for shard in range(len(planned.shards)):
        run_shard(planned, shard, workspace)
    made, before = time.process_time(), highest_memory()
    collect(planned, workspace)
    return read - since, made - read, time.process_time() - made, highest_memory(), before


def processes(workspace: Workspace) -> None:
    """The stage with one and with two processes, in turn: wall time of the masks and of all of it, and CPU time."""
    print(f"\n{FOR_PROCESSES} rows, seconds; wall time needs a machine with nothing else to do")
    print(f"{'processes':>10} {'masks':>8} {'x one':>6} {'stage':>8} {'x one':>6} {'CPU':>8} {'x one':>6}")
    write_index(workspace, CATEGORY, DRAWN, FOR_PROCESSES)
    took: dict[int, list[tuple[float, ...]]] = {1: [], 2: []}
    for _ in range(ROUNDS):
        for workers, times in took.items():
            os.environ["TRYON_WORKERS"] = str(workers)
            times.append(stage_times(workspace))
    for workers, times in took.items():
        line = f"{workers:10}"
        for spent, alone in zip(zip(*times, strict=True), zip(*took[1], strict=True), strict=True):
            gain = statistics.median(serial / parallel for serial, parallel in zip(alone, spent, strict=True))
            line += f" {statistics.median(spent):8.1f} {gain:6.2f}"
        print(line)


def stage_times(workspace: Workspace) -> tuple[float, ...]:
    """Wall seconds of the masks, of the whole stage, and its CPU seconds in all processes."""
    since, used = time.perf_counter(), cpu_time()
    planned = plan(CATEGORY, SETTINGS, SIZE, workspace)
    work = partial(make_shard, job=planned.job(workspace), config_hash=planned.config_hash)
    before = time.perf_counter()
    map_chunks(work, planned.shards, no_progress, "masks")
    made = time.perf_counter() - before
    collect(planned, workspace)
    return made, time.perf_counter() - since, cpu_time() - used


def cpu_time() -> float:
    """Of this process and of those that it has waited for."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def highest_memory() -> float:
    """MiB. Not `ru_maxrss`, which a new process has from the one that started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
