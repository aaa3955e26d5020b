"""Which files an export of one category has, found in one pass over its manifest; nothing is read or written yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from tryon.categories import Category, Split
from tryon.errors import MissingInputError, TryOnError, format_list
from tryon.export.request import ExportRequest
from tryon.export.rows import Row, iter_rows
from tryon.manifest.schemas import STATUS_OK

SHARD_ROWS = 64
"""Rows of a manifest per shard: about a second of work, so that little is lost when a run is killed."""

_REMEDY = "Run `tryon download`, which unpacks what is missing."


class RowSelection(NamedTuple):
    """A row that brings something new: its person, its garment or both."""

    category: Category
    row: int
    person: bool
    garment: bool

    @property
    def shard(self) -> int:
        """Number of the shard that the row belongs to."""
        return self.row // SHARD_ROWS


@dataclass
class ExportPlan:
    """An export of one category.

    Args:
        category: which one.
        parts: the shards, each a run of rows that bring something new.
        lists: lines of every pair list, by its file's name.
        facts: what the stamp says of it: counts, recipes, licences.
        without_dense_pose: people who have no DensePose map though the layout shows one.
    """

    category: Category
    parts: list[tuple[RowSelection, ...]]
    lists: dict[str, list[str]]
    facts: dict[str, Any]
    without_dense_pose: int


def plan(category: Category, settings: Sequence[Split], job: ExportRequest) -> ExportPlan:
    """Go through the manifest's good rows of the chosen settings.

    Raises:
        TryOnError: there are none, or the layout cannot say whose garment is whose.
    """
    found = _Found(category, settings, job)
    for number, row in enumerate(iter_rows(category, job.dense, job.workspace)):
        if row["split"] in settings:
            found.add(number, row)
    found.check()
    return ExportPlan(category, list(_parts(found.takes)), found.lists, found.facts(), found.without_dense_pose)


class _Found:
    """What a pass over a manifest has come across."""

    def __init__(self, category: Category, settings: Sequence[Split], job: ExportRequest) -> None:
        self.category, self.settings, self.job = category, settings, job
        self.takes: list[RowSelection] = []
        self.lists: dict[str, list[str]] = {name: [] for split in settings for name in job.layout.lists[split]}
        self.without_dense_pose = self._pairs = self._quarantined = 0
        self._people: set[str] = set()
        self._garments: set[str] = set()
        self._strangers: list[str] = []
        self._recipes: set[str] = set()
        self._licences: set[str] = set()
        self._sizes: set[tuple[int, int]] = set()

    def add(self, number: int, row: Row) -> None:
        """Take row `number` into account."""
        if row["status"] != STATUS_OK:
            self._quarantined += 1
            return
        layout, split = self.job.layout, Split(row["split"])
        person, garment = (f"{layout.place(split)}/{row[name]}" for name in ("person_id", "garment_id"))
        fresh_garment = self.job.garments and garment not in self._garments
        new = RowSelection(self.category, number, person not in self._people, fresh_garment)
        if new.person or new.garment:
            self.takes.append(new)
        if split is not Split.TEST_UNPAIRED and person != garment:
            self._strangers.append(row["pair_id"])
        self.without_dense_pose += new.person and self.job.dense and row["dense_pose"] is None
        for name in layout.lists[split]:
            self.lists[name].append(layout.pair_line(row["person_id"], row["garment_id"]))
        self._people.add(person)
        if self.job.garments:
            self._garments.add(garment)
        self._recipes.add(row["config_hash"])
        self._licences.add(row["licence"] or "unknown")
        self._sizes.add((row["height"], row["width"]))
        self._pairs += 1

    def check(self) -> None:
        """Raise where there is nothing to export, or the layout cannot hold it."""
        what = f"the manifest of {self.category}"
        if not self._pairs:
            rule = f"has good rows of {', '.join(self.settings)}"
            remedy = "Choose another --split, or see in the report why rows are quarantined."
            raise TryOnError(what, expected=rule, hint=remedy)
        if self._strangers and self.job.layout.one_id_for_own_garment:
            rule = "has one id for a person and the garment that they wear, which this layout finds by name"
            remedy = "Export in the layout `catvton` or `masks`."
            raise TryOnError(what, expected=rule, found=format_list(self._strangers), hint=remedy)

    def facts(self) -> dict[str, Any]:
        """What the stamp says, in its order."""
        return {
            "config_hash": sorted(self._recipes),
            "licences": sorted(self._licences),
            "settings": list(self.settings),
            "mask_sizes": [list(size) for size in sorted(self._sizes)],
            "pairs": self._pairs,
            "people": len(self._people),
            "garments": len(self._garments),
            "quarantined": self._quarantined,
        }


def check_raw_files(parts: Sequence[Sequence[RowSelection]], job: ExportRequest) -> None:
    """Make sure, before any work, that the raw files that these shards are made from are there.

    Raises:
        MissingInputError: some are not; the first ten are named, the rest counted.
    """
    missing: set[str] = set()
    total = 0
    for category, own in groupby((take for part in parts for take in part), lambda take: take.category):
        rows = enumerate(iter_rows(category, job.dense, job.workspace))
        for take in own:
            row = next(row for number, row in rows if number == take.row)
            for relative in _raw_files(row, take, job):
                total += 1
                if not (job.workspace.raw / relative).is_file():
                    missing.add(relative)
    if missing:
        what = f"{len(missing)} of {total} raw files"
        raise MissingInputError(what, expected="are in data/raw", found=format_list(sorted(missing)), hint=_REMEDY)


def _raw_files(row: Row, take: RowSelection, job: ExportRequest) -> list[str]:
    """Paths below `data/raw` of the files that a row's new person and garment are made from."""
    names = ["person"] * take.person + ["dense_pose"] * (take.person and job.dense) + ["garment"] * take.garment
    return [row[name] for name in names if row[name] is not None]


def _parts(takes: Sequence[RowSelection]) -> Iterator[tuple[RowSelection, ...]]:
    start = 0
    for end in range(1, len(takes) + 1):
        if end == len(takes) or takes[end].shard != takes[start].shard:
            yield tuple(takes[start:end])
            start = end
