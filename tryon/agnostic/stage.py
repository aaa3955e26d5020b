"""The agnostic stage: from a category's index and raw files to its manifest of masks.

`plan` says what is to be done, `run_shard` does a part of it, `collect` makes the output of all parts; `agnostic` is
the three in a row. Whoever has an orchestrator calls them one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tryon.agnostic.assemble_manifest import MaskOf, add_masks, join, mask_reader, read_audits
from tryon.agnostic.masks.audit import NUMBERS
from tryon.agnostic.method_comparison import PEOPLE, as_text, compare_methods, hash_sample
from tryon.agnostic.plan import MaskPlan, plan
from tryon.agnostic.preview.contact_sheet import PreviewEntry, contact_sheet
from tryon.agnostic.preview.histogram import histogram, quantile_table
from tryon.agnostic.preview.person_strip import encode
from tryon.agnostic.preview.render_preview import TYPICAL, WORST, render_people, select_people
from tryon.agnostic.quality_limits import (
    LIMITS,
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
from tryon.manifest.schemas import COMPARISON
from tryon.runtime.atomic_files import checksum_ok, sha256_file, write_bytes
from tryon.runtime.process_pool import map_chunks
from tryon.runtime.progress import Progress
from tryon.runtime.stage_result import StageResult
from tryon.workspace import Workspace

SHOWN_WORST, SHOWN_TYPICAL = 12, 6
"""People whose images are kept beside the manifest."""

RESULT_IMAGE_HEIGHT = 128
"""Height of the images in the summary, so that a sheet of them stays small."""

__all__ = ["MaskPlan", "agnostic", "collect", "plan", "run_shard"]


def agnostic(
    category: Category, settings: AgnosticSettings, size: Size, workspace: Workspace, progress: Progress
) -> StageResult:
    """Make the manifest of one category; masks of an interrupted run, and of the last one, are taken up again.

    Args:
        category: which one.
        settings: the recipe and the limits of its audit.
        size: height and width of the masks.
        workspace: holds the index and the raw files, receives the manifest.
        progress: told of the people done.

    Raises:
        MissingInputError: the index is not there, or raw files are absent or differ from it.
        BeyondLimitsError: the audit found more than the limits allow. The manifest stays as it was, and so do the
            shards, for the next run.
    """
    planned = plan(category, settings, size, workspace)
    work = partial(make_shard, making=planned.job(workspace), config_hash=planned.config_hash, earlier=planned.reusable)
    map_chunks(work, planned.shards, progress, f"{category} masks")
    return collect(planned, workspace)


def run_shard(planned: MaskPlan, shard: int, workspace: Workspace, pool: Executor | None = None) -> int:
    """Make the masks of one shard, unless they lie in the work area already.

    Args:
        planned: what `plan` gave.
        shard: its number in `planned.shards`.
        workspace: as given to `plan`.
        pool: processes to do the work in; many threads may share them. Without it the work is done here.

    Returns:
        The number of people in it.
    """
    people = planned.shards[shard]
    work = partial(make_shard, people, planned.job(workspace), planned.config_hash, planned.reusable)
    if pool is None:
        work()
    else:
        pool.submit(work).result()
    return len(people)


def collect(planned: MaskPlan, workspace: Workspace) -> StageResult:
    """Make the manifest of all shards, one row per row of the index, and put the shards by for the next run.

    Raises:
        MissingInputError: the index has changed since it was planned, or a raw file that is shown has.
        BeyondLimitsError: as `agnostic`.
        TryOnError: a shard is not there or not whole, or no row is left that is not set aside.
    """
    index = workspace.index(planned.category)
    if sha256_file(index) != planned.index_sha256:
        remedy = f"Run `tryon agnostic {planned.category}` again."
        raise MissingInputError(str(index), expected="stays as it is while masks are made", hint=remedy)
    paths = _finished_shards(planned, workspace)
    audits, mask_of = read_audits(paths), mask_reader(paths, planned)
    rows, numbers = join(planned, audits, workspace)
    rows = _enforce_limits(planned, rows, numbers, audits, mask_of, workspace)
    require_usable_rows(planned.category, rows)
    # What reads raw files comes before anything is written: if one is wrong, all stays as it was.
    shown = render_people(select_people(audits, SHOWN_WORST, SHOWN_TYPICAL), audits, mask_of, planned, workspace)
    metadata = {"config_hash": planned.config_hash, "index_sha256": planned.index_sha256}
    metadata[COMPARISON] = as_text(_comparison(planned, audits, workspace))
    write_table(workspace.mask_images(planned.category), _shown_table(shown), MASK_PREVIEWS)
    write_tables(workspace.manifest(planned.category), add_masks(rows, numbers, mask_of), MANIFEST, metadata)
    store_shards_for_reuse(paths, planned.job(workspace))
    return _summary(planned, rows, shown)


def _finished_shards(planned: MaskPlan, workspace: Workspace) -> list[Path]:
    paths = [shard_path(people, planned.job(workspace), planned.config_hash) for people in planned.shards]
    for path in paths:
        if not checksum_ok(path):
            remedy = f"Run `tryon agnostic {planned.category}` again."
            raise TryOnError(str(path), expected="is a finished shard of masks", hint=remedy)
    return paths


def _enforce_limits(
    planned: MaskPlan,
    rows: pa.Table,
    numbers: NDArray[np.int64],
    audits: pa.Table,
    mask_of: MaskOf,
    workspace: Workspace,
) -> pa.Table:
    """The rows, bad ones set aside; too many of them are drawn and told."""
    limits = planned.settings.quality_limits
    found = find_violations(rows, limits)
    if not exceeds_rejected_fraction(rows, found, limits):
        return quarantine(rows, found, limits)
    people = np.unique(numbers[any_violation(found)])
    chosen = {int(people[number]): WORST for number in select_people(audits.take(pa.array(people)), SHOWN_WORST, 0)}
    image = workspace.preview(planned.category)
    title = f"{planned.category}, recipe {planned.settings.method}: beyond agnostic.quality_limits"
    write_bytes(image, contact_sheet(title, render_people(chosen, audits, mask_of, planned, workspace)))
    raise build_error(planned, rows, found, str(image))


def _comparison(planned: MaskPlan, audits: pa.Table, workspace: Workspace) -> list[dict[str, object]]:
    sample = set(hash_sample((person.person_id for person in chain.from_iterable(planned.shards)), PEOPLE))
    people = [person for person in chain.from_iterable(planned.shards) if person.person_id in sample]
    chosen = audits.filter(pa.array([name in sample for name in audits["person_id"].to_pylist()], pa.bool_()))
    own = {row["person_id"]: row for row in chosen.select(["person_id", "worn", *NUMBERS]).to_pylist()}
    return compare_methods(people, own, planned.job(workspace))


def _shown_table(shown: Sequence[PreviewEntry]) -> pa.Table:
    rows = [
        {"why": one.why, "person_id": one.person_id, "worn": one.worn, **one.numbers, "image": encode(one.image)}
        for one in shown
    ]
    return table_from_rows(rows, MASK_PREVIEWS)


def _summary(planned: MaskPlan, rows: pa.Table, shown: Sequence[PreviewEntry]) -> StageResult:
    good = rows.filter(pa.array(status_is_ok(rows)))
    bad = rows.num_rows - good.num_rows
    headline = f"{good.num_rows} rows of {planned.category} have a mask of {planned.size[0]}x{planned.size[1]} pixels"
    headline += f"; {bad} are quarantined." if bad else "."
    told = {name: column_values(good, name) for name in NUMBERS}
    limits = {limit.column: getattr(planned.settings.quality_limits, limit.key) for limit in LIMITS if limit.is_maximum}
    title = f"{planned.category}, recipe {planned.settings.method}"
    images = {"distribution": histogram(title, told, limits)} if good.num_rows else {}
    for why in (WORST, TYPICAL):
        some = [one for one in shown if one.why == why]
        images |= {why: contact_sheet(title, some, RESULT_IMAGE_HEIGHT)} if some else {}
    return StageResult(f"agnostic@{planned.category}", headline, tuple(quantile_table(told, limits)), images)
