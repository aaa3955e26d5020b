"""The sample stage: choose pairs from the manifests, part them without overlap, pack them at training size."""

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
from tryon.sample.hash_sampling import PairKey, select, split_validation
from tryon.sample.packing import IMAGES, RAW_ROLES, Row
from tryon.sample.read_manifests import CategoryRows, read_category
from tryon.sample.shards import PackConfig, pack_shard
from tryon.sample.split_guard import assert_disjoint_splits
from tryon.workspace import SUBSET_PARTS, Workspace

SHARD = 64
"""Rows per unit of work and per row group: a few seconds, a few MB."""

_SETTINGS = {
    "train": Split.TRAIN,
    "val": Split.TRAIN,
    "test_paired": Split.TEST_PAIRED,
    "test_unpaired": Split.TEST_UNPAIRED,
}

Parts = dict[str, list[PairKey]]
"""Chosen pairs by part of the subset, category by category, each category sorted by pair id."""


def sample(settings: SampleSettings, seed: int, size: Size, workspace: Workspace, progress: Progress) -> StageResult:
    """Choose and pack the pairs to train, validate and test on.

    Args:
        settings: the section `sample` of `params.yaml`.
        seed: key of the choice.
        size: height and width of the packed images, which is that of the masks.
        workspace: where `data/` lies.
        progress: told packed rows.

    Returns:
        Counts per category and part, and what was asked for.

    Raises:
        MissingInputError: manifests or raw files are absent or do not fit together, or too few rows are usable.
        SourceError: training and test rows share a person or a garment.
    """
    categories = {category: read_category(category, size, workspace) for category in Category}
    parts = select_parts(categories, settings, seed)
    assert_disjoint_splits(
        parts["train"], parts["val"], (pair for rows in categories.values() for pair in rows.test_pairs)
    )
    rows = {part: [_row(pair, part, categories) for pair in pairs] for part, pairs in parts.items()}
    require_files(workspace, (row for part in rows.values() for row in part), RAW_ROLES)
    packed = _pack(rows, PackConfig(size, code_version("tryon.sample.stage"), workspace), progress)
    for part, paths in packed.items():
        tables = (read_table(path, PACKED) for path in paths)
        write_tables(workspace.subset(part), tables, PACKED, {"images": IMAGES[part]})
    shutil.rmtree(workspace.work_dir("sample"), ignore_errors=True)
    return _summary(parts, settings)


def select_parts(categories: dict[Category, CategoryRows], settings: SampleSettings, seed: int) -> Parts:
    """Choose the pairs of every part of the subset.

    Raises:
        MissingInputError: there are too few good rows to train and to validate.
    """
    parts: Parts = {part: [] for part in SUBSET_PARTS}
    for rows in categories.values():
        chosen = select(rows.pairs(Split.TRAIN), settings.train_pairs_per_category, seed, "train")
        train, validation = split_validation(chosen, settings.val_fraction, seed)
        parts["train"] += train
        parts["val"] += validation
        for part in ("test_paired", "test_unpaired"):
            parts[part] += select(rows.pairs(_SETTINGS[part]), settings.test_pairs_per_category, seed, part)
    if not (parts["train"] and parts["val"]):
        value = f"{len(parts['train'])} to train, {len(parts['val'])} to validate"
        remedy = "Look into data/index/findings.parquet for rejected pairs."
        raise MissingInputError(
            "data/manifests", expected="have rows to train and to validate", found=value, hint=remedy
        )
    return parts


def _row(pair: PairKey, part: str, categories: dict[Category, CategoryRows]) -> Row:
    return categories[pair.category].rows[_SETTINGS[part], pair.pair_id] | {"part": part}


def _pack(rows: dict[str, list[Row]], packing: PackConfig, progress: Progress) -> dict[str, list[Path]]:
    """Pack the rows of all parts and return their shards in order."""
    cut = {part: split_chunks(own, SHARD) for part, own in rows.items()}
    work = partial(pack_shard, packing=packing)
    paths = iter(map_chunks(work, [shard for own in cut.values() for shard in own], progress, "pack"))
    return {part: [next(paths) for _ in own] for part, own in cut.items()}


def _summary(parts: Parts, settings: SampleSettings) -> StageResult:
    train, test = settings.train_pairs_per_category, settings.test_pairs_per_category
    asked: dict[str, Cell] = {"asked: train and val": train, "asked: each test list": test}
    table: list[dict[str, Cell]] = []
    for category in Category:
        counts = {part: sum(pair.category == category for pair in pairs) for part, pairs in parts.items()}
        table.append({"category": str(category), **counts, **asked})
    taken, wanted = sum(map(len, parts.values())), len(Category) * (train + 2 * test)
    headline = ", ".join(f"{len(pairs)} {part}" for part, pairs in parts.items()) + " pairs"
    return StageResult("sample", f"{headline}{'; there are fewer than asked for' * (taken < wanted)}.", tuple(table))
