"""`tryon export`: from manifests and raw files to a folder that another codebase reads."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from tryon.categories import Category, Split
from tryon.dresscode.readers import Size
from tryon.errors import MissingInputError, ParameterError
from tryon.export.export_record import (
    RECORD_FILE,
    ExportRecord,
    mark_finished,
    mark_started,
    new_record,
    read_record,
    write_record,
)
from tryon.export.plan import ExportPlan, check_raw_files, plan
from tryon.export.request import ExportRequest
from tryon.export.rows import check_tables
from tryon.export.shards import checksum_file, export_shard, translate_export_os_errors
from tryon.runtime.atomic_files import sha256_file, write_text
from tryon.runtime.process_pool import map_chunks
from tryon.runtime.progress import Progress
from tryon.runtime.stage_result import StageResult

_LEAST, _MOST = 16, 4096
"""Bounds of --size: pixels on a side."""


def export(
    job: ExportRequest, categories: Sequence[Category], settings: Sequence[Split], progress: Progress
) -> StageResult:
    """Write an export, or go on with one that is there; what is whole is not written again.

    Args:
        job: layout, size, folder and workspace.
        categories: which ones; others that the folder has already stay as they are.
        settings: which pair lists.
        progress: told of the rows done.

    Raises:
        MissingInputError: a manifest or raw files are not there, or changed meanwhile.
        ParameterError: the folder holds something else, or is one of the workspace's own.
        DiskError: it cannot be written.
        TryOnError: a manifest has nothing to export in this layout.
    """
    job.workspace.reject_stage_output(job.out, "--out")
    settings = [split for split in Split if split in settings]
    stamp = read_record(job.out, new_record(job.format, job.size))
    plans = [_planned(category, job, settings, stamp) for category in Category if category in categories]
    parts = [part for planned in plans for part in planned.parts]
    fresh = [part for part in parts if not checksum_file(part[0].category, part[0].shard, job.out).is_file()]
    check_raw_files(fresh, job)
    with translate_export_os_errors():
        job.out.mkdir(parents=True, exist_ok=True)
        write_record(stamp, job.out)
    written = sum(map_chunks(partial(export_shard, job=job), parts, progress, f"{job.format} export"))
    with translate_export_os_errors():
        for planned in plans:
            _finish(planned, stamp, job)
        write_text(job.out / "README.txt", _readme(stamp, job.layout.note))
        write_record(stamp, job.out)
    return _summary(plans, written, job)


def parse_size(text: str) -> Size:
    """Height and width from "512x384".

    Raises:
        ParameterError: it is not of that form, or a side is out of bounds.
    """
    sides = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if sides is None or not all(_LEAST <= int(side) <= _MOST for side in sides.groups()):
        rule = f"is height x width in pixels, as in 512x384, each of {_LEAST} to {_MOST}"
        raise ParameterError("--size", expected=rule, found=text)
    return int(sides[1]), int(sides[2])


def _planned(category: Category, job: ExportRequest, settings: Sequence[Split], stamp: ExportRecord) -> ExportPlan:
    check_tables(category, job.dense, job.workspace)
    sha256 = sha256_file(job.workspace.manifest(category))
    planned = plan(category, settings, job)
    planned.facts = {"manifest_sha256": sha256} | planned.facts
    mark_started(stamp, category, planned.facts, job.out)
    return planned


def _finish(planned: ExportPlan, stamp: ExportRecord, job: ExportRequest) -> None:
    manifest = job.workspace.manifest(planned.category)
    if sha256_file(manifest) != planned.facts["manifest_sha256"]:
        remedy = "Remove the export and run it again."
        raise MissingInputError(str(manifest), expected="stays as it is while it is exported", hint=remedy)
    for name, lines in planned.lists.items():
        write_text(job.out / planned.category / name, "".join(lines))
    mark_finished(stamp, planned.category)


def _readme(stamp: ExportRecord, note: str) -> str:
    categories = stamp["categories"]
    licences = sorted({licence for facts in categories.values() for licence in facts["licences"]})
    size = _by(stamp["size"]) if stamp["size"] else "the layout's own (no --size was given)"
    head = f"Written by `tryon export --format {stamp['format']}`. Size: {size}. Licence of the images: "
    head += f"{', '.join(licences)}.\n{_made_at(categories)}"
    head += f"{RECORD_FILE} says what it was made from, and whether it is finished. To see that all is whole, run the same\n"
    return f"{head}command again, or `sha256sum --check --quiet checksums/*.txt` here.\n\n{note}"


def _made_at(categories: Mapping[str, Any]) -> str:
    """In which sizes the masks were made, which need not be one."""
    sizes = {category: " and ".join(map(_by, facts["mask_sizes"])) for category, facts in categories.items()}
    if len(set(sizes.values())) == 1:
        return f"The masks were made at {next(iter(sizes.values()))}.\n"
    told = ", ".join(f"{category} {size}" for category, size in sizes.items())
    return f"The masks were made at DIFFERENT SIZES: {told}.\n"


def _by(size: Sequence[int]) -> str:
    return "x".join(map(str, size))


def _summary(plans: Sequence[ExportPlan], written: int, job: ExportRequest) -> StageResult:
    counts = ("people", "garments", "pairs", "quarantined")
    rows = tuple({"category": one.category, **{name: one.facts[name] for name in counts}} for one in plans)
    headline = f"{written} files written to {job.out}" if written else f"{job.out} was whole, nothing written"
    lacking = sum(one.without_dense_pose for one in plans)
    headline += f"; {lacking} people have no DensePose map, and so no image of it" if lacking else ""
    return StageResult("export", f"{headline}.", rows)
