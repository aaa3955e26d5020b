"""Run the agnostic stage: compute the masks of a category and write its manifest.

`agnostic` runs `plan`, the shards and `collect` in a row; an orchestrator calls `plan`, `run_shard` and `collect`.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from functools import partial
from itertools import chain

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tryon.agnostic.assemble_manifest import MaskOf, add_masks, join, mask_reader, read_audits
from tryon.agnostic.masks.audit import NUMBERS
from tryon.agnostic.method_comparison import PEOPLE, SAMPLE_KEY, as_text, compare_methods
from tryon.agnostic.plan import MaskPlan, plan
from tryon.agnostic.preview.contact_sheet import PreviewEntry, contact_sheet
from tryon.agnostic.preview.histogram import histogram, quantile_table
from tryon.agnostic.preview.person_strip import encode
from tryon.agnostic.preview.render_preview import TYPICAL, WORST, render_people, select_people
from tryon.agnostic.quality_limits import (
    QUALITY_RULES,
    any_violation,
    build_error,
    column_values,
    exceeds_rejected_fraction,
    find_violations,
    quarantine,
    require_usable_rows,
    status_is_ok,
)
from tryon.agnostic.shards import make_shard, shard_path, store_shards_for_reuse
from tryon.categories import Category
from tryon.config.agnostic import AgnosticSettings
from tryon.dresscode.readers import Size
from tryon.errors import MissingInputError, TryOnError
from tryon.manifest import MANIFEST, MASK_PREVIEWS, table_from_rows, write_table, write_tables
from tryon.manifest.schemas import METHOD_COMPARISON_KEY
from tryon.runtime.atomic_files import checksum_ok, sha256_file, write_bytes
from tryon.runtime.hash_sampling import hash_sample
from tryon.runtime.process_pool import map_chunks
from tryon.runtime.progress import Progress
from tryon.runtime.stage_result import StageResult
from tryon.workspace import Workspace

NUM_WORST, NUM_TYPICAL = 12, 6
"""People whose preview images are stored next to the manifest."""

RESULT_IMAGE_HEIGHT = 128
"""Height of the images in the stage result, which must stay small."""

__all__ = ["MaskPlan", "agnostic", "collect", "plan", "run_shard"]


def agnostic(
    category: Category, settings: AgnosticSettings, size: Size, workspace: Workspace, progress: Progress
) -> StageResult:
    """Write the manifest of one category, reusing masks of an interrupted run and of the last one.

    Raises:
        MissingInputError: the index or raw files do not exist or have changed.
        MaskQualityError: too many masks violate the quality limits. The manifest stays as it was, and the masks are
            reused by the next run.
    """
    mask_plan = plan(category, settings, size, workspace)
    job, config_hash, earlier = mask_plan.job(workspace), mask_plan.config_hash, mask_plan.reusable
    work = partial(make_shard, job=job, config_hash=config_hash, earlier=earlier)
    map_chunks(work, mask_plan.shards, progress, f"{category} masks")
    return collect(mask_plan, workspace)


def run_shard(mask_plan: MaskPlan, shard: int, workspace: Workspace, pool: Executor | None = None) -> int:
    """Compute the masks of one shard unless its file is complete; return the number of people.

    Args:
        shard: number in `mask_plan.shards`.
        pool: of processes, which threads may share; None to work in this process.
    """
    people = mask_plan.shards[shard]
    work = partial(make_shard, people, mask_plan.job(workspace), mask_plan.config_hash, mask_plan.reusable)
    if pool is None:
        work()
    else:
        pool.submit(work).result()
    return len(people)


def collect(mask_plan: MaskPlan, workspace: Workspace) -> StageResult:
    """Write the manifest from all shards, one row per row of the index, and store the shards for the next run.

    Raises:
        MissingInputError: the index has changed since `plan`, or a raw file of the preview has.
        MaskQualityError: as `agnostic`.
        TryOnError: a shard is incomplete, or no row is usable.
    """
    category, job = mask_plan.category, mask_plan.job(workspace)
    rerun = f"Run `tryon agnostic {category}` again."
    if sha256_file(workspace.index(category)) != mask_plan.index_sha256:
        raise MissingInputError(f"{workspace.index(category)} changed while masks were computed", hint=rerun)
    paths = [shard_path(people, job, mask_plan.config_hash) for people in mask_plan.shards]
    for path in paths:
        if not checksum_ok(path):
            raise TryOnError(f"{path} is not a complete shard of masks", hint=rerun)
    audits, mask_of = read_audits(paths), mask_reader(paths, mask_plan)
    rows, numbers = join(mask_plan, audits, workspace)
    rows = _enforce_limits(mask_plan, rows, numbers, audits, mask_of, workspace)
    require_usable_rows(category, rows)
    # Raw files are read before anything is written: if one is wrong, all outputs stay as they were.
    previews = render_people(select_people(audits, NUM_WORST, NUM_TYPICAL), audits, mask_of, mask_plan, workspace)
    metadata = {"config_hash": mask_plan.config_hash, "index_sha256": mask_plan.index_sha256}
    metadata[METHOD_COMPARISON_KEY] = as_text(_compare_on_sample(mask_plan, audits, workspace))
    write_table(workspace.mask_images(category), _preview_table(previews), MASK_PREVIEWS)
    write_tables(workspace.manifest(category), add_masks(rows, numbers, mask_of), MANIFEST, metadata)
    store_shards_for_reuse(paths, job)
    return _summary(mask_plan, rows, previews)


def _enforce_limits(
    mask_plan: MaskPlan,
    rows: pa.Table,
    numbers: NDArray[np.int64],
    audits: pa.Table,
    mask_of: MaskOf,
    workspace: Workspace,
) -> pa.Table:
    """Quarantine rows with violations, or render the worst and fail if there are too many."""
    category, limits = mask_plan.category, mask_plan.settings.quality_limits
    violations = find_violations(rows, limits)
    if not exceeds_rejected_fraction(rows, violations, limits):
        return quarantine(rows, violations)
    people = np.unique(numbers[any_violation(violations)])
    selected = {int(people[number]): WORST for number in select_people(audits.take(pa.array(people)), NUM_WORST, 0)}
    image = workspace.preview(category)
    title = f"{category}, method {mask_plan.settings.method}: violations of agnostic.quality_limits"
    write_bytes(image, contact_sheet(title, render_people(selected, audits, mask_of, mask_plan, workspace)))
    raise build_error(mask_plan, rows, violations, str(image))


def _compare_on_sample(mask_plan: MaskPlan, audits: pa.Table, workspace: Workspace) -> list[dict[str, object]]:
    everyone = list(chain.from_iterable(mask_plan.shards))
    sample = set(hash_sample((person.person_id for person in everyone), PEOPLE, SAMPLE_KEY))
    people = [person for person in everyone if person.person_id in sample]
    sampled = audits.filter(pa.array([name in sample for name in audits["person_id"].to_pylist()], pa.bool_()))
    rows = sampled.select(["person_id", "worn", *NUMBERS]).to_pylist()
    return compare_methods(people, {row["person_id"]: row for row in rows}, mask_plan.job(workspace))


def _preview_table(previews: Sequence[PreviewEntry]) -> pa.Table:
    rows = [
        {
            "why": entry.why,
            "person_id": entry.person_id,
            "worn": entry.worn,
            **entry.numbers,
            "image": encode(entry.image),
        }
        for entry in previews
    ]
    return table_from_rows(rows, MASK_PREVIEWS)


def _summary(mask_plan: MaskPlan, rows: pa.Table, previews: Sequence[PreviewEntry]) -> StageResult:
    category, (height, width) = mask_plan.category, mask_plan.size
    usable = rows.filter(pa.array(status_is_ok(rows)))
    quarantined = rows.num_rows - usable.num_rows
    summary = f"{usable.num_rows} rows of {category} have a mask of {height}x{width} pixels"
    summary += f"; {quarantined} are quarantined." if quarantined else "."
    numbers = {name: column_values(usable, name) for name in NUMBERS}
    settings = mask_plan.settings
    limits = {rule.column: getattr(settings.quality_limits, rule.key) for rule in QUALITY_RULES if rule.is_maximum}
    title = f"{category}, method {settings.method}"
    images = {"distribution": histogram(title, numbers, limits)} if usable.num_rows else {}
    for why in (WORST, TYPICAL):
        entries = [entry for entry in previews if entry.why == why]
        images |= {why: contact_sheet(title, entries, RESULT_IMAGE_HEIGHT)} if entries else {}
    return StageResult(f"agnostic@{category}", summary, tuple(quantile_table(numbers, limits)), images)
