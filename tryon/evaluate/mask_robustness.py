"""How much the model leans on exact masks: its error under masks grown, shrunk and jittered by a few pixels.

The same rows are tried on under every mask, so that the difference to the mask as it is can be told pair by pair. In
the paired setting a smaller mask shows some of the answer; what counts there is what larger and jittered ones cost.
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
from tryon.evaluate.report.gallery import hash_choose
from tryon.evaluate.slices import interval_to_dict
from tryon.evaluate.summary import KEY
from tryon.loading.batch_loader import load_batches
from tryon.loading.packed_dataset import PackedDataset
from tryon.metrics import METRICS
from tryon.metrics.pairwise import score_pairs
from tryon.metrics.regions import GARMENT
from tryon.runtime.atomic_files import sha256_bytes
from tryon.runtime.progress import Progress
from tryon.scoring.bootstrap import Interval, intervals

STEPS = (1, 2, 3)
"""Pixels by which masks are changed in a image of `HEIGHT` rows; more in a larger one."""

HEIGHT = 128
_CELL = 8
"""Size of a wave of the jittered outline, in pixels of a image of `HEIGHT` rows."""

UNCHANGED, SHRUNK, GROWN, JITTERED = "unchanged", "shrunk", "grown", "jittered"


@dataclass(frozen=True)
class MaskPerturbation:
    """One way to change a mask: the kind and by how many pixels."""

    kind: str
    pixels: int


@dataclass(frozen=True)
class RobustnessPoint:
    """Error inside the garment under changed masks, and how much it is above that under the masks as they are."""

    change: MaskPerturbation
    error: Interval
    added: Interval


@dataclass(frozen=True)
class MaskRobustness:
    """The curve of one setting, the masks as they are first."""

    setting: str
    points: list[RobustnessPoint]


def perturbations(height: int) -> list[MaskPerturbation]:
    """All changes for images of `height` rows, none first."""
    pixels = [max(1, round(step * height / HEIGHT)) for step in STEPS]
    return [
        MaskPerturbation(UNCHANGED, 0),
        *(MaskPerturbation(kind, own) for kind in (SHRUNK, GROWN, JITTERED) for own in pixels),
    ]


def perturb_mask(mask: NDArray[np.bool_], change: MaskPerturbation, seed: int) -> NDArray[np.bool_]:
    """A mask with its outline moved.

    Args:
        mask: bool (H, W), True = hidden.
        change: how. Jittered outlines wave in and out by at most its pixels.
        seed: of the waves.
    """
    if change.kind == UNCHANGED:
        return mask
    hidden = mask.astype(np.uint8)
    inside, outside = (cv2.distanceTransform(one, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) for one in (hidden, 1 - hidden))
    signed = np.where(mask, inside - 0.5, 0.5 - outside)  # 0 on the outline, between two pixels
    if change.kind == JITTERED:
        return signed + change.pixels * _waves(mask.shape, seed) > 0
    return signed + (change.pixels if change.kind == GROWN else -change.pixels) > 0


def _waves(shape: tuple[int, ...], seed: int) -> NDArray[np.float32]:
    """Smooth noise between -1 and 1, float32 (H, W)."""
    height, width = shape
    cell = max(2.0, _CELL * height / HEIGHT)
    coarse = np.random.default_rng(seed).uniform(-1, 1, (round(height / cell) + 1, round(width / cell) + 1))
    smooth = cv2.resize(coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth, -1, 1).astype(np.float32, copy=False)


def mask_robustness(
    network: nn.Module, rows: PackedDataset, setting: str, count: int, batch_size: int, progress: Progress
) -> MaskRobustness | None:
    """The curve of one setting.

    Args:
        network: in evaluation mode, on its device.
        rows: of the setting.
        setting: paired or unpaired.
        count: rows that are tried on again, as many of each category as there are; chosen by their names.
        batch_size: pairs per forward pass.
        progress: told how far it is.

    Returns:
        None when no row has a true image that shows its garment.

    Raises:
        TryOnError: a result is not finite.
    """
    order = perturbations(rows.size[0])
    parts = list(_errors(network, rows, setting, (count, batch_size), progress))
    values = np.concatenate([np.empty((0, len(order))), *parts])
    values = values[np.isfinite(values).all(axis=1)]
    if not len(values):
        return None
    everything = np.ones((len(values), 1), np.bool_)
    error, added = (intervals(own, everything, 0)[0] for own in (values, values - values[:, :1]))
    points = [
        RobustnessPoint(perturbation, mean, difference)
        for perturbation, mean, difference in zip(order, error, added, strict=True)
        if mean is not None and difference is not None
    ]
    return MaskRobustness(setting, points)


def _errors(
    network: nn.Module, rows: PackedDataset, setting: str, sizes: tuple[int, int], progress: Progress
) -> Iterator[NDArray[np.float64]]:
    """For each batch the error of its rows with a true image under every mask, (K, changes)."""
    count, batch_size = sizes
    device = next(network.parameters()).device
    order, measures = perturbations(rows.size[0]), {"l1": _l1()}
    chosen = {
        category: _chosen(rows.indices_of(category), setting, -(-count // len(Category))) for category in Category
    }
    done, total = 0, sum(map(len, chosen.values()))
    for category, positions in chosen.items():
        own = rows.indices_of(category)
        parts = [positions[start : start + batch_size] for start in range(0, len(positions), batch_size)]
        for part, batch in zip(parts, load_batches(own, parts), strict=True):
            truth = ground_truth(own, part, batch, setting)
            masks = batch.mask[:, 0].numpy()
            seeds = [int(sha256_bytes(pair.encode())[:15], 16) for pair in batch.pair_ids]
            columns = []
            for change in order:
                changed = [perturb_mask(mask, change, seed) for mask, seed in zip(masks, seeds, strict=True)]
                results = try_on(network, replace(batch, mask=torch.from_numpy(np.stack(changed))[:, None]), device)
                region = {GARMENT: truth.regions[GARMENT]}
                columns.append(score_pairs(measures, results[truth.known], truth.images, region)[KEY])
            done += len(part)
            progress(done, total, "rows tried on under other masks")
            yield np.column_stack(columns)


def _l1() -> Any:
    measure = METRICS["l1"].measure
    assert measure is not None
    return measure(None, "cpu")


def _chosen(rows: PackedDataset, setting: str, count: int) -> NDArray[np.int64]:
    """Positions of the rows with a true image that are tried on again: always the same ones."""
    pairs = rows.table.column("pair_id").to_pylist()
    known = [row for row in range(len(rows)) if setting == "paired" or rows.has("truth", row)]
    wanted = hash_choose([pairs[row] for row in known], count, 0)
    return np.array([row for row in known if pairs[row] in wanted], np.int64)


def robustness_to_dict(found: MaskRobustness | None) -> dict[str, Any]:
    """The curve for `metrics.json`: kind → pixels → numbers; empty when there is none."""
    if found is None:
        return {}
    told: dict[str, Any] = {"setting": found.setting}
    for point in found.points:
        added = {f"added_{name}": value for name, value in interval_to_dict(point.added).items() if name != "rows"}
        told.setdefault(point.change.kind, {})[str(point.change.pixels)] = {**interval_to_dict(point.error), **added}
    return told
