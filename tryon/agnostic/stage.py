"""The agnostic stage: from a category's index and raw files to its manifest of masks.

`plan` says what is to be done, `run_shard` does a part of it, `collect` makes the output of all parts; `agnostic` is
the three in a row. Whoever has an orchestrator calls them one by one.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any

from tryon.agnostic.people import ROLES, Making, Person, person_of
from tryon.agnostic.preview import preview
from tryon.agnostic.settings import AgnosticSettings
from tryon.agnostic.shards import make_shard, read_shard, shard_path, staging_folder
from tryon.categories import Category
from tryon.code_version import code_version
from tryon.download.raw import check_present
from tryon.dresscode.readers import Size
from tryon.errors import MissingInputError, TryOnError
from tryon.files import digest, sha256_file
from tryon.manifest import INDEX, MANIFEST, read_table, table_from_rows, write_table
from tryon.manifest.schemas import STATUS_OK, STATUS_QUARANTINED
from tryon.progress import Progress
from tryon.staging import is_whole
from tryon.summary import Cell, Summary
from tryon.workers import map_shards, shards
from tryon.workspace import Workspace

SHARD_SIZE = 256
"""People per shard: a second or two of work, so that little is lost when a run is killed."""

_FROM_INDEX = (
    "pair_id", "category", "setting", "person_id", "garment_id", "person", "garment", "person_sha256", "garment_sha256",
    "sleeve", "neckline", "pattern", "licence", "status", "reason",
)  # fmt: skip
_FROM_MASK = ("mask_png", "mask_fraction", "leak_fraction", "protected_fraction", "missing_joints")
_ABOUT_PERSON = ("worn", "arm_pose")
"""Taken from the index where the source itself says it, else told from label map and key points."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """What one run of the stage does; can be pickled.

    Args:
        category: which one.
        settings: the recipe.
        size: height and width of the masks.
        recipe: digest of the code, the settings and the size; stands in every row.
        shards: the people to make masks for, each once, in index order.
        index_sha256: of the index that all this was read from.
    """

    category: Category
    settings: AgnosticSettings
    size: Size
    recipe: str
    shards: tuple[tuple[Person, ...], ...]
    index_sha256: str

    def making(self, workspace: Workspace) -> Making:
        """What the masks depend on besides the people."""
        return Making(self.category, self.settings, self.size, workspace)

    @property
    def people(self) -> int:
        """How many masks there are to make."""
        return sum(map(len, self.shards))


def agnostic(
    category: Category, settings: AgnosticSettings, size: Size, workspace: Workspace, progress: Progress
) -> Summary:
    """Make the manifest of one category; shards of an interrupted run are taken up again.

    Args:
        category: which one.
        settings: the recipe.
        size: height and width of the masks.
        workspace: holds the index and the raw files, receives the manifest.
        progress: told of the people done.

    Raises:
        MissingInputError: the index is not there, or raw files are absent or differ from it.
    """
    planned = plan(category, settings, size, workspace)
    work = partial(make_shard, making=planned.making(workspace), recipe=planned.recipe)
    map_shards(work, planned.shards, progress, f"{category} masks")
    return collect(planned, workspace)


def plan(category: Category, settings: AgnosticSettings, size: Size, workspace: Workspace) -> Plan:
    """Read the index, check that the raw files are there and cut the people into shards.

    Raises:
        MissingInputError: the index is not there, or raw files are.
    """
    rows = _good(_index_rows(category, workspace, ["person_id", "status", *_file_columns(("person", *ROLES))]))
    check_present(workspace, rows, ("person", *ROLES))
    people = {row["person_id"]: person_of(row) for row in rows}
    recipe = digest(
        {"code": code_version("tryon.agnostic.stage"), "settings": settings.model_dump(), "size": list(size)}
    )
    cut = tuple(tuple(part) for part in shards(list(people.values()), SHARD_SIZE))
    return Plan(category, settings, size, recipe, cut, sha256_file(workspace.index(category)))


def run_shard(planned: Plan, shard: int, workspace: Workspace, pool: Executor | None = None) -> int:
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
    work = partial(make_shard, people, planned.making(workspace), planned.recipe)
    if pool is None:
        work()
    else:
        pool.submit(work).result()
    return len(people)


def collect(planned: Plan, workspace: Workspace) -> Summary:
    """Make the manifest of all shards, one row per row of the index, and clear the work area.

    Raises:
        MissingInputError: the index has changed since it was planned, or a raw file that is shown has.
        TryOnError: a shard is not there or not whole.
    """
    index = workspace.index(planned.category)
    if sha256_file(index) != planned.index_sha256:
        remedy = f"Run `tryon agnostic {planned.category}` again."
        raise MissingInputError(str(index), rule="stays as it is while masks are made", remedy=remedy)
    masks = {row["person_id"]: row for row in _finished_masks(planned, workspace)}
    sources = _index_rows(planned.category, workspace, [*_FROM_INDEX, *_ABOUT_PERSON, *_file_columns(ROLES)])
    rows = [_manifest_row(row, masks, planned) for row in sources]
    summary = _summary(planned, rows, sources, workspace)  # it reads raw files: if one is wrong, the work stays
    metadata = {"recipe": planned.recipe, "index_sha256": planned.index_sha256}
    write_table(workspace.manifest(planned.category), table_from_rows(rows, MANIFEST), MANIFEST, metadata)
    shutil.rmtree(staging_folder(planned.making(workspace)), ignore_errors=True)
    return summary


def _file_columns(roles: Sequence[str]) -> list[str]:
    return [f"{role}{ending}" for role in roles for ending in ("", "_bytes", "_sha256")]


def _index_rows(category: Category, workspace: Workspace, columns: list[str] | None) -> list[Row]:
    return read_table(workspace.index(category), INDEX, columns, made_by="tryon download").to_pylist()


def _good(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row["status"] == STATUS_OK]


def _finished_masks(planned: Plan, workspace: Workspace) -> Iterable[Row]:
    for people in planned.shards:
        path = shard_path(people, planned.making(workspace), planned.recipe)
        if not is_whole(path):
            remedy = f"Run `tryon agnostic {planned.category}` again."
            raise TryOnError(str(path), rule="is a finished shard of masks", remedy=remedy)
        yield from read_shard(path)


def _manifest_row(row: Row, masks: dict[str, Row], planned: Plan) -> Row:
    height, width = planned.size
    made = {name: row[name] for name in _FROM_INDEX} | {"height": height, "width": width, "recipe": planned.recipe}
    if row["status"] != STATUS_OK:
        return made | {name: row[name] for name in _ABOUT_PERSON}
    mask = masks[row["person_id"]]
    made |= {name: mask[name] for name in _FROM_MASK} | {name: row[name] or mask[name] for name in _ABOUT_PERSON}
    if mask["reason"] is not None:
        made |= {"status": STATUS_QUARANTINED, "reason": mask["reason"]}
    return made | {"sleeve": row["sleeve"] or _sleeve_of_garment(row["garment_id"], masks)}


def _sleeve_of_garment(garment_id: str, masks: dict[str, Row]) -> str | None:
    """The slice is about the new garment: what is known of it is how the person of the same id wears it."""
    return masks[garment_id]["sleeve"] if garment_id in masks else None


def _summary(planned: Plan, rows: Sequence[Row], sources: Sequence[Row], workspace: Workspace) -> Summary:
    good = _good(rows)
    bad = len(rows) - len(good)
    headline = f"{len(good)} rows of {planned.category} have a mask of {planned.size[0]}x{planned.size[1]} pixels"
    headline += f"; {bad} are quarantined." if bad else "."
    table: dict[str, Cell] = {"category": planned.category, "rows": len(rows), "quarantined": bad}
    for name in ("leak", "protected", "mask"):
        values = [row[f"{name}_fraction"] for row in good if row[f"{name}_fraction"] is not None] or [0.0]
        table[f"{name} mean"] = round(sum(values) / len(values), 6)
        table[f"{name} max"] = round(max(values), 6)
    pictures = {"masks": preview(rows, sources, workspace)} if good else {}
    return Summary(f"agnostic@{planned.category}", headline, (table,), pictures)
