"""Render previews of the worst and of typical masks, for the stage and for `tryon agnostic --preview`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute

from tryon.agnostic.assemble_manifest import MaskOf
from tryon.agnostic.masks.audit import NUMBERS
from tryon.agnostic.method_comparison import SAMPLE_KEY
from tryon.agnostic.plan import MaskPlan, file_columns, plan, read_index
from tryon.agnostic.preview.contact_sheet import PreviewEntry, contact_sheet
from tryon.agnostic.preview.person_strip import person_strip
from tryon.agnostic.preview.select_people import select_random, select_worst
from tryon.agnostic.process_person import ROLES, process_batch
from tryon.agnostic.quality_limits import violated_columns
from tryon.agnostic.shards import MASKS
from tryon.categories import Category
from tryon.config.agnostic import AgnosticSettings
from tryon.dresscode.readers import Size
from tryon.errors import DiskError, MissingInputError, TryOnError
from tryon.manifest import MANIFEST, read_metadata, read_table, table_from_rows
from tryon.manifest.mask_png import decode_mask
from tryon.manifest.schemas import STATUS_OK
from tryon.runtime.atomic_files import write_bytes
from tryon.runtime.hash_sampling import hash_sample
from tryon.runtime.process_pool import map_chunks, split_chunks
from tryon.runtime.progress import Progress
from tryon.workspace import Workspace

pc: Any = pyarrow.compute  # its functions are generated at run time

WORST, TYPICAL = "worst", "typical"

MIN_SAMPLE, _SAMPLE_PER_PREVIEW = 100, 8
"""Size of the sample without a manifest: at least, and for each person in the preview."""

_BATCH = 10


def render_preview(
    category: Category,
    settings: AgnosticSettings,
    size: Size,
    workspace: Workspace,
    count: int,
    progress: Progress,
    out: Path | None = None,
) -> tuple[Path, str]:
    """Render the `count` worst and `count` typical people of a category as JPEG; no other file is written.

    They are selected from the manifest if it was made with these settings from the current index. Otherwise masks are
    computed for a sample of people. Returns path and description of the image, by default that of the workspace.

    Raises:
        MissingInputError: the index does not exist or has no usable row, or raw files are missing or have changed.
        ParameterError: `out` is in a folder of a stage.
    """
    path = out or workspace.preview(category)
    workspace.reject_stage_output(path, "--out")
    mask_plan = plan(category, settings, size, workspace)
    if not mask_plan.num_people:
        raise MissingInputError(
            f"{workspace.index(category)} has no usable row", hint="See data/index/findings.parquet for the reasons."
        )
    audits, source = _load_audits(mask_plan, workspace, count, progress)
    masks = audits["mask_png"]
    selected = select_people(audits, count, count)
    entries = render_people(selected, audits, lambda number: masks[number].as_py(), mask_plan, workspace)
    height, width = size
    write_bytes(path, contact_sheet(f"{category}, method {settings.method}, masks of {height}x{width}", entries))
    return path, f"{category}: worst and typical of {source}"


def select_people(audits: pa.Table, num_worst: int, num_typical: int) -> dict[int, str]:
    """Return the numbers of the people to show with `WORST` or `TYPICAL`, in order."""
    selected = dict.fromkeys(select_worst(audits, num_worst), WORST)
    return selected | dict.fromkeys(select_random(audits, num_typical, selected), TYPICAL)


def render_people(
    selected: Mapping[int, str],
    audits: pa.Table,
    mask_of: MaskOf,
    mask_plan: MaskPlan,
    workspace: Workspace,
) -> list[PreviewEntry]:
    """Render some people of `audits`.

    Args:
        selected: numbers with the reason.
        audits: rows of `shards.MASKS`, with or without the masks.

    Raises:
        MissingInputError: a raw file does not exist or has changed.
    """
    rows = audits.select(["person_id", "worn", *NUMBERS]).take(pa.array(list(selected), pa.int64())).to_pylist()
    files = _index_rows([row["person_id"] for row in rows], mask_plan.category, workspace)
    entries = []
    for (number, why), row in zip(selected.items(), rows, strict=True):
        numbers = {name: row[name] for name in NUMBERS}
        violations = violated_columns(numbers, mask_plan.settings.quality_limits)
        mask = decode_mask(mask_of(number) or b"")
        image = person_strip(files[row["person_id"]], mask, mask_plan.job(workspace))
        entries.append(PreviewEntry(why, row["person_id"], row["worn"], numbers, violations, image))
    return entries


def _index_rows(person_ids: Sequence[str], category: Category, workspace: Workspace) -> dict[str, dict[str, Any]]:
    table = read_index(category, workspace, ["person_id", "status", *file_columns("person", *ROLES)])
    selected = pc.is_in(table["person_id"], pa.array(person_ids, pa.string()))
    usable = pc.and_(pc.equal(table["status"], STATUS_OK), selected)
    return {row["person_id"]: row for row in table.filter(usable).to_pylist()}


def _load_audits(mask_plan: MaskPlan, workspace: Workspace, count: int, progress: Progress) -> tuple[pa.Table, str]:
    """Return the audits to select from, of the manifest or else of a sample, with their description."""
    damage = ""
    try:
        audits = _manifest_audits(mask_plan, workspace)
    except DiskError:
        raise
    except TryOnError as error:
        audits, damage = None, f"; the manifest is damaged and not used: {error}"
    if audits is not None:
        return audits, f"all {audits.num_rows} people with a mask in the manifest"
    audits = _sample_audits(mask_plan, workspace, max(MIN_SAMPLE, _SAMPLE_PER_PREVIEW * count), progress)
    return (
        audits,
        f"a sample of {audits.num_rows} of {mask_plan.num_people} people, masks computed for the preview{damage}",
    )


def _manifest_audits(mask_plan: MaskPlan, workspace: Workspace) -> pa.Table | None:
    """Read one row a person of the manifest; None if there is none of this method, size, code and index."""
    path, made_by = workspace.manifest(mask_plan.category), f"tryon agnostic {mask_plan.category}"
    if not path.is_file():
        return None
    metadata = read_metadata(path, made_by)
    if (metadata.get("config_hash"), metadata.get("index_sha256")) != (mask_plan.config_hash, mask_plan.index_sha256):
        return None
    table = read_table(path, MANIFEST, ["person_id", "worn", "mask_png", *NUMBERS], made_by)
    table = table.filter(pc.is_valid(table["mask_png"]))
    first: dict[str, int] = {}
    for number, name in enumerate(table["person_id"].to_pylist()):
        first.setdefault(name, number)
    table = table.take(pa.array(list(first.values()), pa.int64()))
    return table.append_column("reason", pa.nulls(table.num_rows, pa.string()))  # includes quarantined people


def _sample_audits(mask_plan: MaskPlan, workspace: Workspace, count: int, progress: Progress) -> pa.Table:
    everyone = list(chain.from_iterable(mask_plan.shards))
    names = set(hash_sample((person.person_id for person in everyone), count, SAMPLE_KEY))
    sample = [person for person in everyone if person.person_id in names]
    work = partial(process_batch, job=mask_plan.job(workspace))
    results = map_chunks(work, split_chunks(sample, _BATCH), progress, f"{mask_plan.category} masks of a sample")
    return table_from_rows(chain.from_iterable(results), MASKS)
