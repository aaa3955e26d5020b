"""Measure how robust the model is to dilated, eroded and jittered masks.

The same rows are predicted with every mask, so that differences to the original mask are paired. In the paired setting
an eroded mask reveals part of the ground truth, so only dilated and jittered masks are meaningful there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tryon.categories import Category
from tryon.evaluate.predict import ground_truth, try_on
from tryon.evaluate.slices import interval_to_dict
from tryon.loading.batch_loader import load_batches
from tryon.loading.packed_dataset import PackedDataset
from tryon.metrics import METRICS
from tryon.metrics.pairwise import score_pairs
from tryon.metrics.regions import GARMENT
from tryon.runtime.atomic_files import sha256_bytes
from tryon.runtime.hash_sampling import hash_sample
from tryon.runtime.progress import Progress
from tryon.scoring.bootstrap import Interval, intervals
from tryon.scoring.compare import PRIMARY_METRIC

PERTURBATION_STEPS = (1, 2, 3)
"""Pixels at `REFERENCE_HEIGHT`; scaled with the height."""

REFERENCE_HEIGHT = 128
_JITTER_WAVELENGTH = 8
"""Wavelength of a jittered outline, in pixels at `REFERENCE_HEIGHT`."""

UNCHANGED, ERODED, DILATED, JITTERED = "unchanged", "eroded", "dilated", "jittered"


@dataclass(frozen=True)
class MaskPerturbation:
    """Kind of a mask perturbation and its extent in pixels."""

    kind: str
    pixels: int


@dataclass(frozen=True)
class RobustnessPoint:
    """Error inside the garment with perturbed masks, and its paired difference to the original masks."""

    perturbation: MaskPerturbation
    error: Interval
    difference: Interval


@dataclass(frozen=True)
class MaskRobustness:
    """Results of one setting, the original masks first."""

    setting: str
    points: list[RobustnessPoint]


def perturbations(height: int) -> list[MaskPerturbation]:
    """Return all perturbations for images of `height` rows, the original mask first."""
    pixels = [max(1, round(step * height / REFERENCE_HEIGHT)) for step in PERTURBATION_STEPS]
    kinds = (ERODED, DILATED, JITTERED)
    return [MaskPerturbation(UNCHANGED, 0), *(MaskPerturbation(kind, extent) for kind in kinds for extent in pixels)]


def perturb_mask(mask: NDArray[np.bool_], perturbation: MaskPerturbation, seed: int) -> NDArray[np.bool_]:
    """Move the outline of a mask.

    Args:
        mask: bool (H, W), True = masked.
        perturbation: jittered outlines move in and out by at most its pixels.
        seed: of the jitter.
    """
    if perturbation.kind == UNCHANGED:
        return mask
    masked = mask.astype(np.uint8)
    inside, outside = (cv2.distanceTransform(area, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) for area in (masked, 1 - masked))
    signed = np.where(mask, inside - 0.5, 0.5 - outside)  # 0 on the outline, between two pixels
    if perturbation.kind == JITTERED:
        return signed + perturbation.pixels * _smooth_noise(mask.shape, seed) > 0
    offset = perturbation.pixels if perturbation.kind == DILATED else -perturbation.pixels
    return signed + offset > 0


def _smooth_noise(shape: tuple[int, ...], seed: int) -> NDArray[np.float32]:
    """Return noise in -1..1, float32 (H, W)."""
    height, width = shape
    cell = max(2.0, _JITTER_WAVELENGTH * height / REFERENCE_HEIGHT)
    coarse = np.random.default_rng(seed).uniform(-1, 1, (round(height / cell) + 1, round(width / cell) + 1))
    smooth = cv2.resize(coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth, -1, 1).astype(np.float32, copy=False)


def mask_robustness(
    network: nn.Module, rows: PackedDataset, setting: str, count: int, batch_size: int, progress: Progress
) -> MaskRobustness | None:
    """Measure the error inside the garment under every perturbation.

    Args:
        network: in evaluation mode, on its device.
        rows: of one setting.
        count: rows to predict, spread evenly over the categories and selected by a hash of their pair ids.
        batch_size: rows per forward pass.

    Returns:
        None when no row has a ground-truth image that shows its garment.

    Raises:
        TryOnError: a result is not finite.
    """
    order = perturbations(rows.size[0])
    batches = _errors(network, rows, setting, (count, batch_size), progress)
    errors = np.concatenate([np.empty((0, len(order))), *batches])
    errors = errors[np.isfinite(errors).all(axis=1)]
    if not len(errors):
        return None
    group = np.ones((len(errors), 1), np.bool_)
    means, differences = (intervals(values, group, 0)[0] for values in (errors, errors - errors[:, :1]))
    points = [
        RobustnessPoint(perturbation, mean, difference)
        for perturbation, mean, difference in zip(order, means, differences, strict=True)
        if mean is not None and difference is not None
    ]
    return MaskRobustness(setting, points)


def _errors(
    network: nn.Module, rows: PackedDataset, setting: str, sizes: tuple[int, int], progress: Progress
) -> Iterator[NDArray[np.float64]]:
    """Yield, per batch, the errors of the K rows with ground truth under every perturbation, (K, perturbations)."""
    count, batch_size = sizes
    device = next(network.parameters()).device
    measure = METRICS["l1"].measure
    assert measure is not None
    measures = {"l1": measure(None, "cpu")}
    per_category = -(-count // len(Category))
    selected = {
        category: _select_positions(rows.select_category(category), setting, per_category) for category in Category
    }
    done, total = 0, sum(map(len, selected.values()))
    for category, positions in selected.items():
        category_rows = rows.select_category(category)
        chunks = [positions[start : start + batch_size] for start in range(0, len(positions), batch_size)]
        for chunk, batch in zip(chunks, load_batches(category_rows, chunks), strict=True):
            truth = ground_truth(category_rows, chunk, batch, setting)
            masks = batch.mask[:, 0].numpy()
            seeds = [int(sha256_bytes(pair.encode())[:15], 16) for pair in batch.pair_ids]
            columns = []
            for perturbation in perturbations(rows.size[0]):
                perturbed = [perturb_mask(mask, perturbation, seed) for mask, seed in zip(masks, seeds, strict=True)]
                results = try_on(network, replace(batch, mask=torch.from_numpy(np.stack(perturbed))[:, None]), device)
                region = {GARMENT: truth.regions[GARMENT]}
                columns.append(score_pairs(measures, results[truth.has_truth], truth.images, region)[PRIMARY_METRIC])
            done += len(chunk)
            progress(done, total, "rows predicted with perturbed masks")
            yield np.column_stack(columns)


def _select_positions(rows: PackedDataset, setting: str, count: int) -> NDArray[np.int64]:
    """Return the positions of the selected rows with ground truth, the same for every model."""
    pairs = rows.table.column("pair_id").to_pylist()
    candidates = [row for row in range(len(rows)) if setting == "paired" or rows.has("truth", row)]
    selected = set(hash_sample({pairs[row] for row in candidates}, count, 0))
    return np.array([row for row in candidates if pairs[row] in selected], np.int64)


def robustness_to_dict(robustness: MaskRobustness | None) -> dict[str, Any]:
    """Return the results for `metrics.json`: kind → pixels → error and difference; empty for None."""
    if robustness is None:
        return {}
    content: dict[str, Any] = {"setting": robustness.setting}
    for point in robustness.points:
        difference = interval_to_dict(point.difference)
        values = interval_to_dict(point.error)
        values |= {f"difference_{name}": difference[name] for name in ("mean", "low", "high")}
        content.setdefault(point.perturbation.kind, {})[str(point.perturbation.pixels)] = values
    return content
