"""What a row of a manifest brings to an export: raw files in, names and bytes of the exported files out."""

from __future__ import annotations

from collections.abc import Iterator

from tryon.categories import Split
from tryon.dresscode.readers import UnreadableError
from tryon.export.layouts.layout import Files, Garment, Person
from tryon.export.plan import RowSelection
from tryon.export.request import ExportRequest
from tryon.export.rows import Row
from tryon.manifest.mask_png import decode_mask
from tryon.manifest.raw_files import read_verified
from tryon.workspace import Workspace


def exported_files(take: RowSelection, row: Row, job: ExportRequest) -> Iterator[tuple[str, bytes]]:
    """Files of a row's new person and garment, by their paths below the export's folder.

    Args:
        take: which of the two are new.
        row: as `rows.full_rows` gives it.
        job: the layout and the size.

    Raises:
        MissingInputError: a raw file is absent or differs from the manifest.
        UnreadableError: a raw file does not decode.
    """
    files = Files()
    try:
        if take.person:
            files |= job.layout.person_files(_person(row, job), job.size)
        if take.garment:
            files |= job.layout.garment_files(_garment(row, job.workspace), job.size)
    except UnreadableError as error:
        what, remedy = f"{error.problem} of pair {row['pair_id']}", "Run `tryon download` again."
        raise UnreadableError(what, expected=error.expected, found=error.found, hint=remedy) from error
    return ((f"{take.category}/{name}", content) for name, content in files.items())


def _person(row: Row, job: ExportRequest) -> Person:
    dense = row["dense_pose"] if job.dense else None
    return Person(
        row["person_id"],
        Split(row["split"]),
        read_verified(job.workspace, row["person"], row["person_sha256"]),
        decode_mask(row["mask_png"]),
        read_verified(job.workspace, dense, row["dense_pose_sha256"]) if dense else None,
    )


def _garment(row: Row, workspace: Workspace) -> Garment:
    photo = read_verified(workspace, row["garment"], row["garment_sha256"])
    return Garment(row["garment_id"], Split(row["split"]), photo, (row["height"], row["width"]))
