"""Images of masks, of the worst and of typical people: for the stage's output and for the command line."""

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
from tryon.agnostic.method_comparison import hash_sample
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
from tryon.runtime.process_pool import map_chunks, split_chunks
from tryon.runtime.progress import Progress
from tryon.workspace import Workspace

pc: Any = pyarrow.compute  # most of its functions are made at run time, out of sight of a type checker

WORST, TYPICAL = "worst", "typical"

SAMPLED = 100
"""People that masks are made for where there is no manifest yet, or more: `_AUDITS_PER_PREVIEW` for each one shown."""

_AUDITS_PER_PREVIEW = 8
_SHARD = 10


def render_preview(
    category: Category,
    settings: AgnosticSettings,
    size: Size,
    workspace: Workspace,
    count: int,
    progress: Progress,
    out: Path | None = None,
) -> tuple[Path, str]:
    """Draw the `count` worst and `count` typical people of a category as a JPEG; no other file is written.

    They are those of the manifest, if it was made with these settings from this index. Without one, masks are made for
    a sample of people, and shown are the worst of these.

    Args:
        category: which one.
        settings: the recipe.
        size: height and width of the masks.
        workspace: holds index and raw files.
        count: of each kind.
        progress: told of the people done.
        out: the file to write; None for the workspace's own.

    Returns:
        The image's path, and what it shows in a sentence.

    Raises:
        MissingInputError: the index is not there or has no good row, or raw files are absent or differ from it.
        ParameterError: `out` lies where only the stages write.
    """
    path = out or workspace.preview(category)
    workspace.reject_stage_output(path, "--out")
    planned = plan(category, settings, size, workspace)
    if not planned.people:
        remedy = "`tryon download` says why its rows are set aside."
        raise MissingInputError(str(workspace.index(category)), expected="has a good row", hint=remedy)
    audits, of = _audits(planned, workspace, count, progress)
    masks = audits["mask_png"]
    shown = render_people(
        select_people(audits, count, count), audits, lambda number: masks[number].as_py(), planned, workspace
    )
    height, width = size
    write_bytes(path, contact_sheet(f"{category}, recipe {settings.method}, masks of {height}x{width}", shown))
    return path, f"{category}: the worst and some typical of {of}"


def select_people(audits: pa.Table, bad: int, usual: int) -> dict[int, str]:
    """Numbers of the people to show, each with the reason, in order."""
    chosen = dict.fromkeys(select_worst(audits, bad), WORST)
    return chosen | dict.fromkeys(select_random(audits, usual, chosen), TYPICAL)


def render_people(
    chosen: Mapping[int, str],
    audits: pa.Table,
    mask_of: MaskOf,
    planned: MaskPlan,
    workspace: Workspace,
) -> list[PreviewEntry]:
    """Draw some people of `audits`.

    Args:
        chosen: their numbers, each with the reason.
        audits: rows of `shards.MASKS`, with or without the masks.
        mask_of: a person's mask by number.
        planned: the run.
        workspace: holds index and raw files.

    Raises:
        MissingInputError: a raw file is absent or differs from the index.
    """
    told = audits.select(["person_id", "worn", *NUMBERS]).take(pa.array(list(chosen), pa.int64())).to_pylist()
    files = _files_of([row["person_id"] for row in told], planned.category, workspace)
    making = planned.job(workspace)
    shown = []
    for (number, why), row in zip(chosen.items(), told, strict=True):
        mask = decode_mask(mask_of(number) or b"")
        numbers = {name: row[name] for name in NUMBERS}
        image = person_strip(files[row["person_id"]], mask, making)
        faults = violated_columns(numbers, planned.settings.quality_limits)
        shown.append(PreviewEntry(why, row["person_id"], row["worn"], numbers, faults, image))
    return shown


def _files_of(person_ids: Sequence[str], category: Category, workspace: Workspace) -> dict[str, dict[str, Any]]:
    table = read_index(category, workspace, ["person_id", "status", *file_columns("person", *ROLES)])
    good = pc.and_(
        pc.equal(table["status"], STATUS_OK), pc.is_in(table["person_id"], pa.array(person_ids, pa.string()))
    )
    return {row["person_id"]: row for row in table.filter(good).to_pylist()}


def _audits(planned: MaskPlan, workspace: Workspace, count: int, progress: Progress) -> tuple[pa.Table, str]:
    """People to choose from, of the manifest or else of a sample, and in words who they are."""
    damage = ""
    try:
        audits = _manifest_audits(planned, workspace)
    except DiskError:
        raise
    except TryOnError as error:
        audits, damage = None, f"; the manifest is not looked at, for it is damaged: {error}"
    if audits is not None:
        return audits, f"all {audits.num_rows} people with a mask in the manifest"
    audits = _sample_audits(planned, workspace, max(SAMPLED, _AUDITS_PER_PREVIEW * count), progress)
    return (
        audits,
        f"a sample of {audits.num_rows} of {planned.people} people, masks made for this image alone{damage}",
    )


def _manifest_audits(planned: MaskPlan, workspace: Workspace) -> pa.Table | None:
    """One row a person of the manifest; None when there is none, or none of this recipe, size, code and index."""
    path, made_by = workspace.manifest(planned.category), f"tryon agnostic {planned.category}"
    if not path.is_file():
        return None
    marks = read_metadata(path, made_by)
    if (marks.get("config_hash"), marks.get("index_sha256")) != (planned.config_hash, planned.index_sha256):
        return None
    table = read_table(path, MANIFEST, ["person_id", "worn", "mask_png", *NUMBERS], made_by)
    table = table.filter(pc.is_valid(table["mask_png"]))
    first: dict[str, int] = {}
    for number, name in enumerate(table["person_id"].to_pylist()):
        first.setdefault(name, number)
    table = table.take(pa.array(list(first.values()), pa.int64()))
    return table.append_column("reason", pa.nulls(table.num_rows, pa.string()))  # who is set aside is shown, too


def _sample_audits(planned: MaskPlan, workspace: Workspace, count: int, progress: Progress) -> pa.Table:
    everyone = list(chain.from_iterable(planned.shards))
    names = set(hash_sample((person.person_id for person in everyone), count))
    sample = [person for person in everyone if person.person_id in names]
    work = partial(process_batch, job=planned.job(workspace))
    made = map_chunks(work, split_chunks(sample, _SHARD), progress, f"{planned.category} masks of a sample")
    return table_from_rows(chain.from_iterable(made), MASKS)
