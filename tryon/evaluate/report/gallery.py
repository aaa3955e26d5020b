"""Select gallery rows, write their image strips and embed small copies in the report.

With ground truth, rows with the smallest, middle and largest error are selected, else rows by a hash of their pair ids.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import nn

from tryon.categories import Category
from tryon.evaluate.baselines import MASKED_INPUT
from tryon.evaluate.predict import PredictedBatch, predict_category
from tryon.loading.packed_dataset import PackedDataset
from tryon.runtime.atomic_files import write_bytes
from tryon.runtime.hash_sampling import hash_sample
from tryon.scoring.compare import PRIMARY_METRIC
from tryon.scoring.row_scores import RowScores
from tryon.scoring.saved_scores import MODEL

EMBEDDED_WIDTHS = (192, 256)
"""Minimum and maximum width of images embedded in the report, in pixels."""

GAP = 4

ImageArray = NDArray[np.uint8]

BEST, MEDIAN, WORST, RANDOM = "best", "median", "worst", "random"
"""Kinds of selected rows."""


@dataclass(frozen=True)
class SelectedRow:
    """Kind of a selected row, and its error inside the garment where known."""

    kind: str
    error: float | None


@dataclass(frozen=True)
class GalleryRow:
    """A gallery row with its images by caption, left to right."""

    setting: str
    category: Category
    pair_id: str
    images: dict[str, ImageArray]
    selected: SelectedRow

    @property
    def file(self) -> str:
        """Path of its strip in the evaluation folder."""
        return f"galleries/{self.setting}_{self.category}/{self.pair_id}.jpg"


def select_rows(pair_ids: Sequence[str], errors: NDArray[np.floating], count: int, seed: int) -> dict[str, SelectedRow]:
    """Select the rows of a category, in the order of the page.

    One third each has the smallest, the middle and the largest errors; the largest get the remainder. Where no error
    is known, rows are selected by `hash_sample`.

    Args:
        pair_ids: of the category's N rows, all different.
        errors: (N,), NaN where unknown.
        count: rows to select.
        seed: of the hash.
    """
    ranked = sorted((float(error), pair) for error, pair in zip(errors, pair_ids, strict=True) if np.isfinite(error))
    if not ranked:
        selected = set(hash_sample(set(pair_ids), count, seed))
        return {pair: SelectedRow(RANDOM, None) for pair in pair_ids if pair in selected}
    total = min(count, len(ranked))
    worst, best, middle = (len(range(first, total, 3)) for first in range(3))
    rest = ranked[best : len(ranked) - worst]
    start = (len(rest) - middle) // 2
    groups = {BEST: ranked[:best], MEDIAN: rest[start : start + middle], WORST: ranked[len(ranked) - worst :][::-1]}
    return {pair: SelectedRow(kind, error) for kind, group in groups.items() for error, pair in group}


def build_gallery(
    network: nn.Module, rows: PackedDataset, setting: str, scores: RowScores, sizes: tuple[int, int], seed: int
) -> list[GalleryRow]:
    """Select rows of every category by the model's error inside the garment, and predict them again.

    Args:
        network: in evaluation mode, on its device.
        rows: of one setting.
        sizes: rows per category, and rows per forward pass.
        seed: of the hash where no error is known.
    """
    count, batch_size = sizes
    device = next(network.parameters()).device
    gallery = []
    for category in Category:
        pair_ids = rows.select_category(category).table.column("pair_id").to_pylist()
        errors = scores.values(setting, MODEL, category, PRIMARY_METRIC)
        selected = select_rows(pair_ids, errors, count, seed)
        positions = {pair: position for position, pair in enumerate(pair_ids)}
        indices = np.array([positions[pair] for pair in selected], np.int64)
        for batch in predict_category(network, rows, setting, category, batch_size, device, indices):
            gallery += gallery_rows(batch, setting, selected)
    return gallery


def gallery_rows(batch: PredictedBatch, setting: str, selected: Mapping[str, SelectedRow]) -> list[GalleryRow]:
    """Return the gallery rows of a batch; paired rows show the person once, as the ground truth."""
    gallery = []
    truth_index = np.cumsum(batch.truth.has_truth) - 1  # row of the batch to row of the ground truth
    for row, pair_id in enumerate(batch.pair_ids):
        images = {} if setting == "paired" else {"person": batch.person[row]}
        images |= {"garment": batch.garment[row], "masked input": batch.results[MASKED_INPUT][row]}
        images["result"] = batch.results[MODEL][row]
        if batch.truth.has_truth[row]:
            images["ground truth"] = batch.truth.images[truth_index[row]]
        gallery.append(GalleryRow(setting, batch.category, pair_id, images, selected[pair_id]))
    return gallery


def write_strip(folder: Path, row: GalleryRow) -> None:
    """Write the images of a row side by side at full size."""
    write_bytes(folder / row.file, _encode(strip(list(row.images.values())), ".jpg", 95))


def strip(images: list[ImageArray]) -> ImageArray:
    """Concatenate images of one height side by side with white gaps."""
    gap = np.full((len(images[0]), GAP, 3), 255, np.uint8)
    return np.concatenate([part for image in images for part in (image, gap)][:-1], 1)


def overview(rows: list[GalleryRow]) -> bytes:
    """Stack the strips of rows as a JPEG of at most 800 pixels a side (about 100 kB)."""
    strips = [strip(list(row.images.values())) for row in rows]
    gap = np.full((GAP, strips[0].shape[1], 3), 255, np.uint8)
    stacked = np.concatenate([part for image in strips for part in (image, gap)][:-1])
    scale = min(1.0, 800 / max(stacked.shape[:2]))
    size = (round(stacked.shape[1] * scale), round(stacked.shape[0] * scale))
    return _encode(cv2.resize(stacked, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False), ".jpg", 85)


def data_uri(image: ImageArray, widths: tuple[int, int] = EMBEDDED_WIDTHS) -> str:
    """Return an image as a WebP data URI, resized to a width within `widths`."""
    height, width = image.shape[:2]
    target = min(max(width, widths[0]), widths[1])
    if target != width:
        method = cv2.INTER_AREA if target < width else cv2.INTER_CUBIC
        image = cv2.resize(image, (target, round(height * target / width)), interpolation=method)  # pyright: ignore
    return "data:image/webp;base64," + base64.b64encode(_encode(image, ".webp", 88)).decode()


def _encode(image: ImageArray, suffix: str, quality: int) -> bytes:
    key = cv2.IMWRITE_WEBP_QUALITY if suffix == ".webp" else cv2.IMWRITE_JPEG_QUALITY
    return cv2.imencode(suffix, np.ascontiguousarray(image[..., ::-1]), [key, quality])[1].tobytes()
