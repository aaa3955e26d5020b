"""The sample stage: choose pairs from the manifests, part them without overlap, pack them at training size."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

from tryon.categories import Category, Setting
from tryon.config.sample import SampleSettings
from tryon.dresscode.readers import Size
from tryon.errors import MissingInputError
from tryon.manifest import PACKED, read_table, write_tables
from tryon.manifest.raw_files import check_present
from tryon.runtime.code_version import code_version
from tryon.runtime.process_pool import map_shards, shards
from tryon.runtime.progress import Progress
from tryon.runtime.stage_result import Cell, Summary
from tryon.sample.hash_sampling import PairName, choose, split_validation
from tryon.sample.packing import PICTURES, RAW_ROLES, Row
from tryon.sample.read_manifests import CategoryRows, read_category
from tryon.sample.shards import Packing, pack_shard
from tryon.sample.split_guard import prove_split
from tryon.workspace import SUBSET_PARTS, Workspace

SHARD = 64
"""Rows per unit of work and per row group: a few seconds, a few MB."""

_SETTINGS = {
    "train": Setting.TRAIN,
    "val": Setting.TRAIN,
    "test_paired": Setting.TEST_PAIRED,
    "test_unpaired": Setting.TEST_UNPAIRED,
}

Parts = dict[str, list[PairName]]
"""Chosen pairs by part of the subset, category by category, each category sorted by pair id."""


def sample(settings: SampleSettings, seed: int, size: Size, workspace: Workspace, progress: Progress) -> Summary:
    """Choose and pack the pairs to train, validate and test on.

    Args:
        settings: the section `sample` of `params.yaml`.
        seed: key of the choice.
        size: height and width of the packed pictures, which is that of the masks.
        workspace: where `data/` lies.
        progress: told packed rows.

    Returns:
        Counts per category and part, and what was asked for.

    Raises:
        MissingInputError: manifests or raw files are absent or do not fit together, or too few rows are usable.
        SourceError: training and test rows share a person or a garment.
    """
    categories = {category: read_category(category, size, workspace) for category in Category}
    parts = choose_parts(categories, settings, seed)
    prove_split(parts["train"], parts["val"], (pair for rows in categories.values() for pair in rows.test_pairs))
    rows = {part: [_row(pair, part, categories) for pair in pairs] for part, pairs in parts.items()}
    check_present(workspace, (row for part in rows.values() for row in part), RAW_ROLES)
    packed = _pack(rows, Packing(size, code_version("tryon.sample.stage"), workspace), progress)
    for part, paths in packed.items():
        tables = (read_table(path, PACKED) for path in paths)
        write_tables(workspace.subset(part), tables, PACKED, {"pictures": PICTURES[part]})
    shutil.rmtree(workspace.staging("sample"), ignore_errors=True)
    return _summary(parts, settings)


def choose_parts(categories: dict[Category, CategoryRows], settings: SampleSettings, seed: int) -> Parts:
    """Choose the pairs of every part of the subset.

    Raises:
        MissingInputError: there are too few good rows to train and to validate.
    """
    parts: Parts = {part: [] for part in SUBSET_PARTS}
    for rows in categories.values():
        chosen = choose(rows.pairs(Setting.TRAIN), settings.pairs_per_category, seed, "train")
        train, validation = split_validation(chosen, settings.validation_share, seed)
        parts["train"] += train
        parts["val"] += validation
        for part in ("test_paired", "test_unpaired"):
            parts[part] += choose(rows.pairs(_SETTINGS[part]), settings.test_pairs_per_category, seed, part)
    if not (parts["train"] and parts["val"]):
        value = f"{len(parts['train'])} to train, {len(parts['val'])} to validate"
        remedy = "Look into data/index/findings.parquet for rejected pairs."
        raise MissingInputError("data/manifests", rule="have rows to train and to validate", value=value, remedy=remedy)
    return parts


def _row(pair: PairName, part: str, categories: dict[Category, CategoryRows]) -> Row:
    return categories[pair.category].rows[_SETTINGS[part], pair.pair_id] | {"part": part}


def _pack(rows: dict[str, list[Row]], packing: Packing, progress: Progress) -> dict[str, list[Path]]:
    """Pack the rows of all parts and return their shards in order."""
    cut = {part: shards(own, SHARD) for part, own in rows.items()}
    work = partial(pack_shard, packing=packing)
    paths = iter(map_shards(work, [shard for own in cut.values() for shard in own], progress, "pack"))
    return {part: [next(paths) for _ in own] for part, own in cut.items()}


def _summary(parts: Parts, settings: SampleSettings) -> Summary:
    train, test = settings.pairs_per_category, settings.test_pairs_per_category
    asked: dict[str, Cell] = {"asked: train and val": train, "asked: each test list": test}
    table: list[dict[str, Cell]] = []
    for category in Category:
        counts = {part: sum(pair.category == category for pair in pairs) for part, pairs in parts.items()}
        table.append({"category": str(category), **counts, **asked})
    taken, wanted = sum(map(len, parts.values())), len(Category) * (train + 2 * test)
    headline = ", ".join(f"{len(pairs)} {part}" for part, pairs in parts.items()) + " pairs"
    return Summary("sample", f"{headline}{'; there are fewer than asked for' * (taken < wanted)}.", tuple(table))
