"""Validation: L1 inside the garment on paired rows."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
import torch
from torch import Tensor, nn

from tryon.categories import Category
from tryon.loading.batch_loader import load_batches
from tryon.loading.packed_dataset import PackedDataset
from tryon.loading.transforms import check_finite, prepare


def validate(network: nn.Module, rows: PackedDataset, batch_size: int, device: torch.device) -> dict[str, float | None]:
    """Compute the mean over rows of the garment's L1, for all rows (`val_l1`) and per category (`val_l1_<category>`).

    The L1 of a row is the mean absolute difference of result and ground truth, both in 0..1, over the pixels of the
    worn garment. Rows without a visible garment are ignored; a value without rows is None. The network is left in
    evaluation mode.

    Raises:
        TryOnError: a result is not finite, or a row is damaged.
    """
    network.eval()
    scores: dict[Category, list[float]] = defaultdict(list)
    batches = [np.arange(start, min(start + batch_size, len(rows))) for start in range(0, len(rows), batch_size)]
    with torch.no_grad():
        for batch in load_batches(rows, batches):
            inputs = prepare(batch.to(device))
            result = network(inputs.reference, inputs.garment, inputs.agnostic)
            check_finite(result, batch.pair_ids)
            differences = garment_l1(result, inputs.person, inputs.garment_mask).tolist()
            visible = batch.garment_mask.flatten(1).any(1).tolist()
            for category, difference, is_visible in zip(batch.categories, differences, visible, strict=True):
                if is_visible:
                    scores[category].append(difference)
    all_scores = [value for values in scores.values() for value in values]
    return {"val_l1": _mean(all_scores), **{f"val_l1_{category}": _mean(scores[category]) for category in Category}}


def garment_l1(result: Tensor, person: Tensor, garment_mask: Tensor) -> Tensor:
    """Compute the mean absolute difference inside the garment, on the scale 0..1.

    Args:
        result, person: float (B, 3, H, W) in [-1, 1]; the result is clamped.
        garment_mask: bool (B, 1, H, W).

    Returns:
        float (B,), NaN where the mask is empty.
    """
    difference = (result.clamp(-1, 1) - person).abs().mean(1, keepdim=True) / 2
    inside = (difference * garment_mask).sum((1, 2, 3))
    return inside / garment_mask.sum((1, 2, 3))


def _mean(values: list[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None
