"""Run `tryon export`: write manifests and raw files to a folder that another codebase reads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

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

_MIN_SIDE, _MAX_SIDE = 16, 4096
"""Bounds of --size, pixels."""


def export(
    request: ExportRequest, categories: Sequence[Category], splits: Sequence[Split], progress: Progress
) -> StageResult:
    """Write an export, or resume one; complete files, and other categories in the folder, are not written again.

    Raises:
        MissingInputError: a manifest or raw files are missing, or changed meanwhile.
        ParameterError: the folder contains something else, or belongs to a stage.
        DiskError: it cannot be written.
        TryOnError: a manifest has nothing to export in this layout.
    """
    request.workspace.reject_stage_output(request.out, "--out")
    splits = [split for split in Split if split in splits]
    record = read_record(request.out, new_record(request.format, request.size))
    plans = [_plan_category(category, request, splits, record) for category in Category if category in categories]
    parts = [part for category_plan in plans for part in category_plan.parts]
    unwritten = [part for part in parts if not checksum_file(part[0].category, part[0].shard, request.out).is_file()]
    check_raw_files(unwritten, request)
    with translate_export_os_errors():
        request.out.mkdir(parents=True, exist_ok=True)
        write_record(record, request.out)
    work = partial(export_shard, request=request)
    written = sum(map_chunks(work, parts, progress, f"{request.format} export"))
    with translate_export_os_errors():
        for category_plan in plans:
            _finish_category(category_plan, record, request)
        write_text(request.out / "README.txt", _readme(record, request.layout.note))
        write_record(record, request.out)
    return _summary(plans, written, request)


def parse_size(text: str) -> Size:
    """Parse height and width from "512x384".

    Raises:
        ParameterError: the text is malformed, or a side is out of bounds.
    """
    sides = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if sides is None or not all(_MIN_SIDE <= int(side) <= _MAX_SIDE for side in sides.groups()):
        raise ParameterError(
            "--size is not a valid size",
            found=text,
            expected=f"HEIGHTxWIDTH, for example 512x384, each of {_MIN_SIDE} to {_MAX_SIDE} pixels",
        )
    return int(sides[1]), int(sides[2])


def _plan_category(
    category: Category, request: ExportRequest, splits: Sequence[Split], record: ExportRecord
) -> ExportPlan:
    check_tables(category, request.dense, request.workspace)
    sha256 = sha256_file(request.workspace.manifest(category))
    category_plan = plan(category, splits, request)
    category_plan.facts = {"manifest_sha256": sha256} | category_plan.facts
    mark_started(record, category, category_plan.facts, request.out)
    return category_plan


def _finish_category(category_plan: ExportPlan, record: ExportRecord, request: ExportRequest) -> None:
    manifest = request.workspace.manifest(category_plan.category)
    if sha256_file(manifest) != category_plan.facts["manifest_sha256"]:
        raise MissingInputError(f"{manifest} changed during the export", hint="Remove the export and run it again.")
    for name, lines in category_plan.lists.items():
        write_text(request.out / category_plan.category / name, "".join(lines))
    mark_finished(record, category_plan.category)


def _readme(record: ExportRecord, note: str) -> str:
    categories = record["categories"]
    licences = sorted({licence for facts in categories.values() for licence in facts["licences"]})
    size = _format_size(record["size"]) if record["size"] else "the layout's default (no --size was given)"
    mask_sizes = {name: " and ".join(map(_format_size, facts["mask_sizes"])) for name, facts in categories.items()}
    if len(set(mask_sizes.values())) == 1:
        masks = next(iter(mask_sizes.values()))
    else:
        masks = "DIFFERENT SIZES: " + ", ".join(f"{name} {mask_size}" for name, mask_size in mask_sizes.items())
    return (
        f"Written by `tryon export --format {record['format']}`. Size: {size}. Licence of the images: "
        f"{', '.join(licences)}.\nThe masks were made at {masks}.\n"
        f"{RECORD_FILE} records the inputs, and whether the export is finished. To verify all files, run the same\n"
        f"command again, or `sha256sum --check --quiet checksums/*.txt` here.\n\n{note}"
    )


def _format_size(size: Sequence[int]) -> str:
    return "x".join(map(str, size))


def _summary(plans: Sequence[ExportPlan], written: int, request: ExportRequest) -> StageResult:
    counts = ("people", "garments", "pairs", "quarantined")
    rows = tuple({"category": item.category, **{name: item.facts[name] for name in counts}} for item in plans)
    summary = f"{written} files written to {request.out}" if written else f"{request.out} is complete, nothing written"
    if missing := sum(item.without_dense_pose for item in plans):
        summary += f"; {missing} people have no DensePose map, and no image of it"
    return StageResult("export", f"{summary}.", rows)
