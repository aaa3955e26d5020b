"""Convert the raw files of a manifest row to names and content of exported files."""

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


def exported_files(selection: RowSelection, row: Row, request: ExportRequest) -> Iterator[tuple[str, bytes]]:
    """Make the files of a row's selected person and garment, by path below the export's folder.

    Raises:
        MissingInputError: a raw file is missing or has changed.
        UnreadableError: a raw file does not decode.
    """
    files, workspace, size = Files(), request.workspace, (row["height"], row["width"])
    split = Split(row["split"])
    try:
        if selection.person:
            photo = read_verified(workspace, row["person"], row["person_sha256"])
            dense = row["dense_pose"] if request.dense else None
            dense_pose = read_verified(workspace, dense, row["dense_pose_sha256"]) if dense else None
            person = Person(row["person_id"], split, photo, decode_mask(row["mask_png"]), dense_pose)
            files |= request.layout.person_files(person, request.size)
        if selection.garment:
            photo = read_verified(workspace, row["garment"], row["garment_sha256"])
            files |= request.layout.garment_files(Garment(row["garment_id"], split, photo, size), request.size)
    except UnreadableError as error:
        raise UnreadableError(
            f"pair {row['pair_id']}: {error.problem}",
            found=error.found,
            expected=error.expected,
            hint="Run `tryon download` again.",
        ) from error
    return ((f"{selection.category}/{name}", content) for name, content in files.items())
