"""The rows of the galleries, tried on once more: which they are is known only when all rows are scored."""

from __future__ import annotations

import numpy as np
from torch import nn

from tryon.categories import Category
from tryon.evaluation.gallery import Pick, Shot, pick, take
from tryon.evaluation.headline import KEY, MODEL
from tryon.evaluation.methods import run_methods
from tryon.evaluation.scores import RowScores
from tryon.loading.rows import PackedRows


def picked_shots(
    network: nn.Module, rows: PackedRows, setting: str, scores: RowScores, sizes: tuple[int, int], seed: int
) -> list[Shot]:
    """The rows to show of one setting, category by category.

    Args:
        network: in evaluation mode, on its device.
        rows: of the setting, scored.
        setting: paired or unpaired.
        scores: numbers of all rows.
        sizes: rows shown of a category, and pairs per forward pass.
        seed: of the choice by name where no error is known.
    """
    count, batch_size = sizes
    picks: dict[Category, dict[str, Pick]] = {}
    for category in Category:
        pairs = scores.pair_ids(setting, MODEL, category)
        picks[category] = pick(pairs, scores.values(setting, MODEL, category, KEY), count, seed)
    only = {category: _positions(rows.of(category), list(own)) for category, own in picks.items()}
    device = next(network.parameters()).device
    batches = run_methods(network, rows, setting, batch_size, device, only)
    return [shot for batch in batches for shot in take(batch, setting, picks[batch.category])]


def _positions(rows: PackedRows, pairs: list[str]) -> np.ndarray:
    order = {pair: row for row, pair in enumerate(rows.table.column("pair_id").to_pylist())}
    return np.array([order[pair] for pair in pairs], np.int64)
