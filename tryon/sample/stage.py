"""Run the sample stage: select pairs from the manifests, split them, and pack them at training size."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

from tryon.categories import Category, Split
from tryon.config.sample import SampleSettings
from tryon.dresscode.readers import Size
from tryon.errors import MissingInputError
from tryon.manifest import PACKED, read_table, write_tables
from tryon.manifest.raw_files import require_files
from tryon.runtime.code_version import code_version
from tryon.runtime.process_pool import map_chunks, split_chunks
from tryon.runtime.progress import Progress
from tryon.runtime.stage_result import Cell, StageResult
from tryon.sample.packing import IMAGES, RAW_ROLES, Row
from tryon.sample.read_manifests import CategoryRows, read_category
from tryon.sample.select_pairs import PairKey, assert_disjoint_splits, select, split_validation
from tryon.sample.shards import PackConfig, pack_shard
from tryon.workspace import SUBSET_PARTS, Workspace

SHARD_SIZE = 64
"""Rows per unit of work and per row group: a few seconds, a few MB."""

_SPLITS = {
    "train": Split.TRAIN,
    "val": Split.TRAIN,
    "test_paired": Split.TEST_PAIRED,
    "test_unpaired": Split.TEST_UNPAIRED,
}

Parts = dict[str, list[PairKey]]
"""Selected pairs by part of the subset, category by category, sorted by pair id within each."""


def sample(settings: SampleSettings, seed: int, size: Size, workspace: Workspace, progress: Progress) -> StageResult:
    """Select and pack the pairs to train, validate and test on; `size` is that of the masks.

    Raises:
        MissingInputError: manifests or raw files are missing or do not match, or too few rows are usable.
        SourceError: training and test rows share a person or a garment.
    """
    categories = {category: read_category(category, size, workspace) for category in Category}
    parts = select_parts(categories, settings, seed)
    test_pairs = (pair for rows in categories.values() for pair in rows.test_pairs)
    assert_disjoint_splits(parts["train"], parts["val"], test_pairs)
    rows = {
        part: [categories[pair.category].rows[_SPLITS[part], pair.pair_id] | {"part": part} for pair in pairs]
        for part, pairs in parts.items()
    }
    require_files(workspace, (row for part in rows.values() for row in part), RAW_ROLES)
    packed = _pack(rows, PackConfig(size, code_version("tryon.sample.stage"), workspace), progress)
    for part, paths in packed.items():
        tables = (read_table(path, PACKED) for path in paths)
        write_tables(workspace.subset(part), tables, PACKED, {"images": IMAGES[part]})
    shutil.rmtree(workspace.work_dir("sample"), ignore_errors=True)
    return _summary(parts, settings)


def select_parts(categories: dict[Category, CategoryRows], settings: SampleSettings, seed: int) -> Parts:
    """Select the pairs of every part of the subset.

    Raises:
        MissingInputError: there are too few usable rows to train and to validate.
    """
    parts: Parts = {part: [] for part in SUBSET_PARTS}
    for rows in categories.values():
        selected = select(rows.pairs(Split.TRAIN), settings.train_pairs_per_category, seed, "train")
        train, validation = split_validation(selected, settings.val_fraction, seed)
        parts["train"] += train
        parts["val"] += validation
        for part in ("test_paired", "test_unpaired"):
            parts[part] += select(rows.pairs(_SPLITS[part]), settings.test_pairs_per_category, seed, part)
    if not (parts["train"] and parts["val"]):
        raise MissingInputError(
            "data/manifests has too few usable rows",
            found=f"{len(parts['train'])} to train, {len(parts['val'])} to validate",
            expected="at least 1 of each",
            hint="See data/index/findings.parquet for rejected pairs.",
        )
    return parts


def _pack(rows: dict[str, list[Row]], config: PackConfig, progress: Progress) -> dict[str, list[Path]]:
    """Pack the rows of all parts; return the paths of their shards in order."""
    shards = {part: split_chunks(part_rows, SHARD_SIZE) for part, part_rows in rows.items()}
    work = partial(pack_shard, config=config)
    paths = iter(map_chunks(work, [shard for chunks in shards.values() for shard in chunks], progress, "pack"))
    return {part: [next(paths) for _ in chunks] for part, chunks in shards.items()}


def _summary(parts: Parts, settings: SampleSettings) -> StageResult:
    train, test = settings.train_pairs_per_category, settings.test_pairs_per_category
    requested: dict[str, Cell] = {"requested: train and val": train, "requested: each test list": test}
    table: list[dict[str, Cell]] = []
    for category in Category:
        counts = {part: sum(pair.category == category for pair in pairs) for part, pairs in parts.items()}
        table.append({"category": str(category), **counts, **requested})
    fewer = sum(map(len, parts.values())) < len(Category) * (train + 2 * test)
    counts = ", ".join(f"{len(pairs)} {part}" for part, pairs in parts.items())
    return StageResult("sample", f"{counts} pairs{'; fewer than requested' * fewer}.", tuple(table))
