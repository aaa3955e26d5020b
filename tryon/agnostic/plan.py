"""Plan a run of the stage: the people of an index, split into shards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from tryon.agnostic.process_person import ROLES, MaskJob, PersonFiles, person_from_row
from tryon.agnostic.shards import ReusableShards, reusable_shards
from tryon.categories import Category
from tryon.config.agnostic import AgnosticSettings
from tryon.dresscode.readers import Size
from tryon.manifest import INDEX, read_table
from tryon.manifest.raw_files import require_files
from tryon.manifest.schemas import STATUS_OK
from tryon.runtime.atomic_files import sha256_file, short_hash
from tryon.runtime.code_version import code_version
from tryon.runtime.process_pool import split_chunks
from tryon.workspace import Workspace

SHARD_SIZE = 256
"""People per shard, a second or two of work that a killed run loses."""

_BATCH_ROWS = 1024
"""Rows that are converted to dictionaries at a time."""


@dataclass(frozen=True)
class MaskPlan:
    """Plan of one run of the stage; can be pickled.

    Args:
        config_hash: of method, its code and the size, stored in every row. Quality limits are not part of it: changing
            them reuses the masks.
        shards: the people, each once, in index order.
        reusable: shards of the last finished run with masks of these people.
    """

    category: Category
    settings: AgnosticSettings
    size: Size
    config_hash: str
    shards: tuple[tuple[PersonFiles, ...], ...]
    index_sha256: str
    reusable: ReusableShards = field(default_factory=dict)

    def job(self, workspace: Workspace) -> MaskJob:
        """Return what the masks depend on, apart from the people."""
        return MaskJob(self.category, self.settings, self.size, workspace)

    @property
    def num_people(self) -> int:
        """Number of people."""
        return sum(map(len, self.shards))


def plan(category: Category, settings: AgnosticSettings, size: Size, workspace: Workspace) -> MaskPlan:
    """Read the index, check that the raw files exist, and split the people into shards.

    Raises:
        MissingInputError: the index or raw files do not exist.
    """
    people: dict[str, PersonFiles] = {}

    def usable_rows() -> Iterator[dict[str, Any]]:
        for row in iter_rows(read_index(category, workspace, ["person_id", "status", *file_columns("person", *ROLES)])):
            if row["status"] == STATUS_OK:
                people[row["person_id"]] = person_from_row(row)
                yield row

    require_files(workspace, usable_rows(), ("person", *ROLES))
    # A mask depends on the code of the shards only: other changes of the stage reuse the masks.
    config = {"code": code_version("tryon.agnostic.shards"), "method": settings.method, "size": list(size)}
    config_hash, job = short_hash(config), MaskJob(category, settings, size, workspace)
    shards = tuple(tuple(part) for part in split_chunks(list(people.values()), SHARD_SIZE))
    reusable = reusable_shards(shards, job, config_hash)
    return MaskPlan(category, settings, size, config_hash, shards, sha256_file(workspace.index(category)), reusable)


def read_index(category: Category, workspace: Workspace, columns: list[str]) -> pa.Table:
    """Read columns of a category's index.

    Raises:
        MissingInputError: it does not exist.
    """
    return read_table(workspace.index(category), INDEX, columns, made_by="tryon download")


def iter_rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table as dictionaries, converted in batches."""
    for batch in table.to_batches(max_chunksize=_BATCH_ROWS):
        yield from batch.to_pylist()


def file_columns(*roles: str) -> list[str]:
    """Return the columns of the index about these files."""
    return [f"{role}{suffix}" for role in roles for suffix in ("", "_bytes", "_sha256")]
