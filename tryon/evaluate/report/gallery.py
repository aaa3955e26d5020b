"""Images of single rows: which are shown, the files under `galleries/`, and the small copies inside the report.

Where true images are known the best, the middling and the worst rows are shown, else rows by a hash of their names.
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
from tryon.evaluate.baselines import COPY
from tryon.evaluate.predict import PredictedBatch, predict_all
from tryon.evaluate.summary import KEY, MODEL
from tryon.loading.packed_dataset import PackedDataset
from tryon.runtime.atomic_files import sha256_bytes, write_bytes
from tryon.scoring.row_scores import RowScores

EMBEDDED_WIDTHS = (192, 256)
"""Images inside the report are this wide, in pixels: small ones are enlarged to the first, large ones reduced to the
second."""

GAP = 4

ImageArray = NDArray[np.uint8]


BEST, MEDIAN, WORST, BY_NAME = "best", "median", "worst", "by name"
"""Why a row is shown."""


@dataclass(frozen=True)
class SelectedRow:
    """A row that is to be shown: why, and its error inside the garment where it is known."""

    why: str
    error: float | None


@dataclass(frozen=True)
class GalleryRow:
    """One row as it is shown: its images by their captions, left to right."""

    setting: str
    category: Category
    pair_id: str
    images: dict[str, ImageArray]
    pick: SelectedRow

    @property
    def file(self) -> str:
        """Path of its strip below the evaluation folder."""
        return f"galleries/{self.setting}_{self.category}/{self.pair_id}.jpg"


def hash_choose(pair_ids: Sequence[str], count: int, seed: int) -> set[str]:
    """`count` rows by a hash of seed and pair: the same ones for every model, and never chosen by how they came out."""
    return set(sorted(set(pair_ids), key=lambda pair: sha256_bytes(f"{seed}:{pair}".encode()))[:count])


def select_rows(pair_ids: Sequence[str], errors: NDArray[np.floating], count: int, seed: int) -> dict[str, SelectedRow]:
    """Which rows of a category are shown, in the order of the page.

    A third each has the smallest errors, those around the median and the largest, the largest first where the thirds
    are not even. Where no error is known, rows are taken by name, see `choose`.

    Args:
        pair_ids: of the category's N rows, no two equal.
        errors: (N,), NaN where not known.
        count: rows that are shown.
        seed: of the choice by name.
    """
    known = [(float(error), pair) for error, pair in zip(errors, pair_ids, strict=True) if np.isfinite(error)]
    if not known:
        wanted = hash_choose(pair_ids, count, seed)
        return {pair: SelectedRow(BY_NAME, None) for pair in pair_ids if pair in wanted}
    known.sort()
    shown = min(count, len(known))
    worst, best, middle = (len(range(first, shown, 3)) for first in range(3))
    rest = known[best : len(known) - worst]
    start = (len(rest) - middle) // 2
    groups = {BEST: known[:best], MEDIAN: rest[start : start + middle], WORST: known[len(known) - worst :][::-1]}
    return {pair: SelectedRow(why, error) for why, group in groups.items() for error, pair in group}


def make_rows(batch: PredictedBatch, setting: str, picks: Mapping[str, SelectedRow]) -> list[GalleryRow]:
    """The rows of a batch, all of which are picked; paired rows show the person once, as the true image."""
    shots = []
    order = np.cumsum(batch.truth.known) - 1  # row of the batch to row of the truth
    for row, pair_id in enumerate(batch.pair_ids):
        images = {} if setting == "paired" else {"person": batch.person[row]}
        images |= {"garment": batch.garment[row], "agnostic": batch.results[COPY][row]}
        images["result"] = batch.results[MODEL][row]
        if batch.truth.known[row]:
            images["true image"] = batch.truth.images[order[row]]
        shots.append(GalleryRow(setting, batch.category, pair_id, images, picks[pair_id]))
    return shots


def write_strip(folder: Path, shot: GalleryRow) -> None:
    """Write the row's images side by side, at their own size, below the evaluation folder."""
    write_bytes(folder / shot.file, _encoded(strip(list(shot.images.values())), ".jpg", 95))


def strip(images: list[ImageArray]) -> ImageArray:
    """Images of one height side by side, white between them."""
    gap = np.full((len(images[0]), GAP, 3), 255, np.uint8)
    return np.concatenate([part for image in images for part in (image, gap)][:-1], 1)


def overview(shots: list[GalleryRow]) -> bytes:
    """Strips of a few rows below each other as a JPEG of at most 800 pixels a side, some 100 kB."""
    lines = [strip(list(shot.images.values())) for shot in shots]
    gap = np.full((GAP, lines[0].shape[1], 3), 255, np.uint8)
    whole = np.concatenate([part for line in lines for part in (line, gap)][:-1])
    scale = min(1.0, 800 / max(whole.shape[:2]))
    size = (round(whole.shape[1] * scale), round(whole.shape[0] * scale))
    return _encoded(cv2.resize(whole, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False), ".jpg", 85)


def data_uri(image: ImageArray, widths: tuple[int, int] = EMBEDDED_WIDTHS) -> str:
    """The image as a WebP data URI, enlarged or reduced to be within `widths`."""
    height, width = image.shape[:2]
    wanted = min(max(width, widths[0]), widths[1])
    if wanted != width:
        method = cv2.INTER_AREA if wanted < width else cv2.INTER_CUBIC
        image = cv2.resize(image, (wanted, round(height * wanted / width)), interpolation=method)  # pyright: ignore
    return "data:image/webp;base64," + base64.b64encode(_encoded(image, ".webp", 88)).decode()


def _encoded(image: ImageArray, ending: str, quality: int) -> bytes:
    key = cv2.IMWRITE_WEBP_QUALITY if ending == ".webp" else cv2.IMWRITE_JPEG_QUALITY
    return cv2.imencode(ending, np.ascontiguousarray(image[..., ::-1]), [key, quality])[1].tobytes()


def build_gallery(
    network: nn.Module, rows: PackedDataset, setting: str, scores: RowScores, sizes: tuple[int, int], seed: int
) -> list[GalleryRow]:
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
    picks: dict[Category, dict[str, SelectedRow]] = {}
    for category in Category:
        pairs = scores.pair_ids(setting, MODEL, category)
        picks[category] = select_rows(pairs, scores.values(setting, MODEL, category, KEY), count, seed)
    only = {category: _positions(rows.indices_of(category), list(own)) for category, own in picks.items()}
    device = next(network.parameters()).device
    batches = predict_all(network, rows, setting, batch_size, device, only)
    return [shot for batch in batches for shot in make_rows(batch, setting, picks[batch.category])]


def _positions(rows: PackedDataset, pairs: list[str]) -> np.ndarray:
    order = {pair: row for row, pair in enumerate(rows.table.column("pair_id").to_pylist())}
    return np.array([order[pair] for pair in pairs], np.int64)
