"""Plan the files of an export in one pass over a manifest, without reading or writing any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from tryon.categories import Category, Split
from tryon.errors import MissingInputError, TryOnError, format_list
from tryon.export.request import ExportRequest
from tryon.export.rows import Row, iter_rows
from tryon.manifest.schemas import STATUS_OK

SHARD_ROWS = 64
"""Rows of a manifest per shard, about a second of work that a killed run loses."""


class RowSelection(NamedTuple):
    """A row whose person or garment, or both, are not in an earlier row."""

    category: Category
    row: int
    person: bool
    garment: bool

    @property
    def shard(self) -> int:
        """Number of the shard."""
        return self.row // SHARD_ROWS


@dataclass
class ExportPlan:
    """Plan of one category.

    Args:
        parts: the shards with at least one selected row.
        lists: lines of every pair list, by file name.
        facts: for the export record: counts, hashes, licences.
        without_dense_pose: number of people without a DensePose map, if the layout contains DensePose.
    """

    category: Category
    parts: list[tuple[RowSelection, ...]]
    lists: dict[str, list[str]]
    facts: dict[str, Any]
    without_dense_pose: int


def plan(category: Category, splits: Sequence[Split], request: ExportRequest) -> ExportPlan:
    """Plan the export of the usable rows of some splits.

    Raises:
        TryOnError: there are none, or the layout cannot represent them.
    """
    collector = _Collector(category, splits, request)
    for number, row in enumerate(iter_rows(category, request.dense, request.workspace)):
        if row["split"] in splits:
            collector.add(number, row)
    collector.check()
    parts = [tuple(rows) for _, rows in groupby(collector.selections, lambda selection: selection.shard)]
    return ExportPlan(category, parts, collector.lists, collector.facts(), collector.without_dense_pose)


class _Collector:
    """Collects selections, lists and facts from the rows of a manifest."""

    def __init__(self, category: Category, splits: Sequence[Split], request: ExportRequest) -> None:
        self.category, self.splits, self.request = category, splits, request
        self.selections: list[RowSelection] = []
        self.lists: dict[str, list[str]] = {name: [] for split in splits for name in request.layout.lists[split]}
        self.without_dense_pose = self._pairs = self._quarantined = 0
        self._people: set[str] = set()
        self._garments: set[str] = set()
        self._mismatched: list[str] = []
        self._config_hashes: set[str] = set()
        self._licences: set[str] = set()
        self._sizes: set[tuple[int, int]] = set()

    def add(self, number: int, row: Row) -> None:
        """Add row `number`."""
        if row["status"] != STATUS_OK:
            self._quarantined += 1
            return
        layout, split = self.request.layout, Split(row["split"])
        person, garment = (f"{layout.subfolder(split)}/{row[name]}" for name in ("person_id", "garment_id"))
        new_garment = self.request.garments and garment not in self._garments
        selection = RowSelection(self.category, number, person not in self._people, new_garment)
        if selection.person or selection.garment:
            self.selections.append(selection)
        if split is not Split.TEST_UNPAIRED and person != garment:
            self._mismatched.append(row["pair_id"])
        self.without_dense_pose += selection.person and self.request.dense and row["dense_pose"] is None
        for name in layout.lists[split]:
            self.lists[name].append(layout.pair_line(row["person_id"], row["garment_id"]))
        self._people.add(person)
        if self.request.garments:
            self._garments.add(garment)
        self._config_hashes.add(row["config_hash"])
        self._licences.add(row["licence"] or "unknown")
        self._sizes.add((row["height"], row["width"]))
        self._pairs += 1

    def check(self) -> None:
        """Raise an error if there is nothing to export, or the layout cannot represent the pairs."""
        manifest = f"manifest of {self.category}"
        if not self._pairs:
            raise TryOnError(
                f"{manifest} has no usable rows of {', '.join(self.splits)}",
                hint="Choose another --split, or see in the report why rows are quarantined.",
            )
        if self._mismatched and self.request.layout.one_id_for_own_garment:
            raise TryOnError(
                f"{manifest} has persons whose garment has another id, which this layout cannot represent",
                found=format_list(self._mismatched),
                hint="Export with `--format catvton` or `--format masks`.",
            )

    def facts(self) -> dict[str, Any]:
        """Return the facts for the export record, in its order."""
        return {
            "config_hash": sorted(self._config_hashes),
            "licences": sorted(self._licences),
            "settings": list(self.splits),
            "mask_sizes": [list(size) for size in sorted(self._sizes)],
            "pairs": self._pairs,
            "people": len(self._people),
            "garments": len(self._garments),
            "quarantined": self._quarantined,
        }


def check_raw_files(parts: Sequence[Sequence[RowSelection]], request: ExportRequest) -> None:
    """Check, before any work, that the raw files of these shards exist.

    Raises:
        MissingInputError: files are missing; the first ten are named, the rest counted.
    """
    missing: set[str] = set()
    total = 0
    all_selections = (selection for part in parts for selection in part)
    for category, selections in groupby(all_selections, lambda selection: selection.category):
        rows = enumerate(iter_rows(category, request.dense, request.workspace))
        for selection in selections:
            row = next(row for number, row in rows if number == selection.row)
            for relative in _raw_files(row, selection, request):
                total += 1
                if not (request.workspace.raw / relative).is_file():
                    missing.add(relative)
    if missing:
        raise MissingInputError(
            f"{len(missing)} of {total} raw files not found in data/raw",
            found=format_list(sorted(missing)),
            hint="Run `tryon download`, which restores files.",
        )


def _raw_files(row: Row, selection: RowSelection, request: ExportRequest) -> list[str]:
    """List the paths below `data/raw` that the selected person and garment are made from."""
    roles = ["person"] * selection.person + ["dense_pose"] * (selection.person and request.dense)
    roles += ["garment"] * selection.garment
    return [row[role] for role in roles if row[role] is not None]
