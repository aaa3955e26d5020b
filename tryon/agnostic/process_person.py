"""Compute and audit the mask of one person from raw files, in any process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tryon.agnostic.masks.audit import audit_person, rejection_reason
from tryon.agnostic.masks.methods import MARGINS, PERSON_METHODS
from tryon.agnostic.masks.parsed_person import ParsedPerson
from tryon.categories import Category
from tryon.config.agnostic import AgnosticSettings
from tryon.dresscode.readers import (
    JOINTS,
    Size,
    UnreadableError,
    decode_dense_pose,
    decode_keypoints,
    decode_label_map,
)
from tryon.manifest.mask_png import encode_mask
from tryon.manifest.raw_files import read_verified
from tryon.runtime.process_pool import raise_mmap_threshold
from tryon.workspace import Workspace

ROLES = ("label_map", "dense_pose", "keypoints")
"""Files that a mask is made from."""


class RawFile(NamedTuple):
    """Path below `data/raw`, and hash."""

    relative: str
    sha256: str


class PersonFiles(NamedTuple):
    """One person and the files of the mask; None for files that are not in the index."""

    person_id: str
    label_map: RawFile | None
    dense_pose: RawFile | None
    keypoints: RawFile | None


def person_from_row(row: dict[str, Any]) -> PersonFiles:
    """Return the files of the person in a row of the index."""
    files = [None if row[role] is None else RawFile(row[role], row[f"{role}_sha256"]) for role in ROLES]
    return PersonFiles(row["person_id"], *files)


class MaskInputs(NamedTuple):
    """Arguments of a mask method, at target size."""

    label_map: NDArray[np.uint8]
    dense_pose: NDArray[np.uint8] | None
    keypoints: NDArray[np.float32]


@dataclass(frozen=True)
class MaskJob:
    """What a mask of `size` depends on, apart from the person."""

    category: Category
    settings: AgnosticSettings
    size: Size
    workspace: Workspace


def read_inputs(person: PersonFiles, size: Size, workspace: Workspace) -> MaskInputs:
    """Read a person's maps at `size`; missing ones are empty: no label, no DensePose, no joint.

    Raises:
        MissingInputError: a file does not exist or differs from the index.
        UnreadableError: a file does not decode.
    """

    def read(file: RawFile) -> bytes:
        return read_verified(workspace, file.relative, file.sha256)

    return MaskInputs(
        decode_label_map(read(person.label_map), size) if person.label_map else np.zeros(size, np.uint8),
        decode_dense_pose(read(person.dense_pose), size) if person.dense_pose else None,
        decode_keypoints(read(person.keypoints), size) if person.keypoints else np.zeros((JOINTS, 3), np.float32),
    )


def process_person(person: PersonFiles, job: MaskJob) -> dict[str, Any]:
    """Compute and audit one mask; return a row of `shards.MASKS`, with a reason instead of the mask if there is none.

    Raises:
        MissingInputError: a file does not exist or differs from the index.
    """
    try:
        maps = read_inputs(person, job.size, job.workspace)
    except UnreadableError as error:
        return {"person_id": person.person_id, "reason": str(error)}
    method = job.settings.method
    parsed = ParsedPerson(*maps)
    mask = PERSON_METHODS[method](job.category, parsed)
    quality = audit_person(job.category, mask, parsed, MARGINS[method](job.size[0]))
    reason = rejection_reason(quality)
    png = encode_mask(mask) if reason is None else None
    return {"person_id": person.person_id, "mask_png": png, **vars(quality), "reason": reason}


def process_batch(people: Sequence[PersonFiles], job: MaskJob) -> list[dict[str, Any]]:
    """Call `process_person` for each, in order."""
    raise_mmap_threshold()
    return [process_person(person, job) for person in people]
