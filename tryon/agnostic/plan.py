"""What one run of the stage has to do: the people of an index, cut into shards, and the name of what is made."""

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
"""People per shard: a second or two of work, so that little is lost when a run is killed."""

_AT_ONCE = 1024
"""Rows that are dictionaries at a time."""


@dataclass(frozen=True)
class MaskPlan:
    """What one run of the stage does; can be pickled.

    Args:
        category: which one.
        settings: the recipe, and the limits of its audit.
        size: height and width of the masks.
        recipe: digest of the recipe, its code and the size; stands in every row. The limits are not in it: to move
            them makes no mask anew.
        shards: the people to make masks for, each once, in index order.
        index_sha256: of the index that all this was read from.
        reusable: where masks of these people lie since the last finished run.
    """

    category: Category
    settings: AgnosticSettings
    size: Size
    config_hash: str
    shards: tuple[tuple[PersonFiles, ...], ...]
    index_sha256: str
    reusable: ReusableShards = field(default_factory=dict)

    def job(self, workspace: Workspace) -> MaskJob:
        """What the masks depend on besides the people."""
        return MaskJob(self.category, self.settings, self.size, workspace)

    @property
    def people(self) -> int:
        """How many masks there are to make."""
        return sum(map(len, self.shards))


def plan(category: Category, settings: AgnosticSettings, size: Size, workspace: Workspace) -> MaskPlan:
    """Read the index, check that the raw files are there and cut the people into shards.

    Raises:
        MissingInputError: the index is not there, or raw files are.
    """
    people: dict[str, PersonFiles] = {}

    def good_rows() -> Iterator[dict[str, Any]]:
        for row in iter_rows(read_index(category, workspace, ["person_id", "status", *file_columns("person", *ROLES)])):
            if row["status"] == STATUS_OK:
                people[row["person_id"]] = person_from_row(row)
                yield row

    require_files(workspace, good_rows(), ("person", *ROLES))
    # The code of the shards is all that a mask depends on: to change a caption makes no mask anew.
    made_by = {"code": code_version("tryon.agnostic.shards"), "method": settings.method, "size": list(size)}
    cut = tuple(tuple(part) for part in split_chunks(list(people.values()), SHARD_SIZE))
    recipe, making = short_hash(made_by), MaskJob(category, settings, size, workspace)
    found = reusable_shards(cut, making, recipe)
    return MaskPlan(category, settings, size, recipe, cut, sha256_file(workspace.index(category)), found)


def read_index(category: Category, workspace: Workspace, columns: list[str]) -> pa.Table:
    """Columns of a category's index.

    Raises:
        MissingInputError: it is not there.
    """
    return read_table(workspace.index(category), INDEX, columns, made_by="tryon download")


def iter_rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    """Rows of a table as dictionaries, never many of them in memory at once."""
    for batch in table.to_batches(max_chunksize=_AT_ONCE):
        yield from batch.to_pylist()


def file_columns(*roles: str) -> list[str]:
    """Columns of the index about these files."""
    return [f"{role}{ending}" for role in roles for ending in ("", "_bytes", "_sha256")]
