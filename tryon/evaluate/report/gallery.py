"""Pictures of single rows: which are shown, the files under `galleries/`, and the small copies inside the report.

Where true pictures are known the best, the middling and the worst rows are shown, else rows by a hash of their names.
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
from tryon.evaluate.predict import Scored, run_methods
from tryon.evaluate.summary import KEY, MODEL
from tryon.loading.packed_dataset import PackedRows
from tryon.runtime.atomic_files import sha256_bytes, write_bytes
from tryon.scoring.row_scores import RowScores

EMBEDDED_WIDTHS = (192, 256)
"""Pictures inside the report are this wide, in pixels: small ones are enlarged to the first, large ones reduced to the
second."""

GAP = 4

Picture = NDArray[np.uint8]


BEST, MEDIAN, WORST, BY_NAME = "best", "median", "worst", "by name"
"""Why a row is shown."""


@dataclass(frozen=True)
class Pick:
    """A row that is to be shown: why, and its error inside the garment where it is known."""

    why: str
    error: float | None


@dataclass(frozen=True)
class Shot:
    """One row as it is shown: its pictures by their captions, left to right."""

    setting: str
    category: Category
    pair_id: str
    pictures: dict[str, Picture]
    pick: Pick

    @property
    def file(self) -> str:
        """Path of its strip below the evaluation folder."""
        return f"galleries/{self.setting}_{self.category}/{self.pair_id}.jpg"


def choose(pair_ids: Sequence[str], count: int, seed: int) -> set[str]:
    """`count` rows by a hash of seed and pair: the same ones for every model, and never chosen by how they came out."""
    return set(sorted(set(pair_ids), key=lambda pair: sha256_bytes(f"{seed}:{pair}".encode()))[:count])


def pick(pair_ids: Sequence[str], errors: NDArray[np.floating], count: int, seed: int) -> dict[str, Pick]:
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
        wanted = choose(pair_ids, count, seed)
        return {pair: Pick(BY_NAME, None) for pair in pair_ids if pair in wanted}
    known.sort()
    shown = min(count, len(known))
    worst, best, middle = (len(range(first, shown, 3)) for first in range(3))
    rest = known[best : len(known) - worst]
    start = (len(rest) - middle) // 2
    groups = {BEST: known[:best], MEDIAN: rest[start : start + middle], WORST: known[len(known) - worst :][::-1]}
    return {pair: Pick(why, error) for why, group in groups.items() for error, pair in group}


def take(batch: Scored, setting: str, picks: Mapping[str, Pick]) -> list[Shot]:
    """The rows of a batch, all of which are picked; paired rows show the person once, as the true picture."""
    shots = []
    order = np.cumsum(batch.truth.known) - 1  # row of the batch to row of the truth
    for row, pair_id in enumerate(batch.pair_ids):
        pictures = {} if setting == "paired" else {"person": batch.person[row]}
        pictures |= {"garment": batch.garment[row], "agnostic": batch.results[COPY][row]}
        pictures["result"] = batch.results[MODEL][row]
        if batch.truth.known[row]:
            pictures["true picture"] = batch.truth.pictures[order[row]]
        shots.append(Shot(setting, batch.category, pair_id, pictures, picks[pair_id]))
    return shots


def write_strip(folder: Path, shot: Shot) -> None:
    """Write the row's pictures side by side, at their own size, below the evaluation folder."""
    write_bytes(folder / shot.file, _encoded(strip(list(shot.pictures.values())), ".jpg", 95))


def strip(pictures: list[Picture]) -> Picture:
    """Pictures of one height side by side, white between them."""
    gap = np.full((len(pictures[0]), GAP, 3), 255, np.uint8)
    return np.concatenate([part for picture in pictures for part in (picture, gap)][:-1], 1)


def overview(shots: list[Shot]) -> bytes:
    """Strips of a few rows below each other as a JPEG of at most 800 pixels a side, some 100 kB."""
    lines = [strip(list(shot.pictures.values())) for shot in shots]
    gap = np.full((GAP, lines[0].shape[1], 3), 255, np.uint8)
    whole = np.concatenate([part for line in lines for part in (line, gap)][:-1])
    scale = min(1.0, 800 / max(whole.shape[:2]))
    size = (round(whole.shape[1] * scale), round(whole.shape[0] * scale))
    return _encoded(cv2.resize(whole, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False), ".jpg", 85)


def data_uri(picture: Picture, widths: tuple[int, int] = EMBEDDED_WIDTHS) -> str:
    """The picture as a WebP data URI, enlarged or reduced to be within `widths`."""
    height, width = picture.shape[:2]
    wanted = min(max(width, widths[0]), widths[1])
    if wanted != width:
        method = cv2.INTER_AREA if wanted < width else cv2.INTER_CUBIC
        picture = cv2.resize(picture, (wanted, round(height * wanted / width)), interpolation=method)  # pyright: ignore
    return "data:image/webp;base64," + base64.b64encode(_encoded(picture, ".webp", 88)).decode()


def _encoded(picture: Picture, ending: str, quality: int) -> bytes:
    key = cv2.IMWRITE_WEBP_QUALITY if ending == ".webp" else cv2.IMWRITE_JPEG_QUALITY
    return cv2.imencode(ending, np.ascontiguousarray(picture[..., ::-1]), [key, quality])[1].tobytes()


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
