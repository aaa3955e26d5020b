"""Pictures of single rows: which are shown, the files under `galleries/`, and the small copies inside the report."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tryon.categories import Category
from tryon.evaluation.baselines import COPY
from tryon.evaluation.headline import MODEL
from tryon.evaluation.methods import Scored
from tryon.files import sha256_bytes, write_bytes

EMBEDDED_WIDTHS = (192, 256)
"""Pictures inside the report are this wide, in pixels: small ones are enlarged to the first, large ones reduced to the
second."""

GAP = 4

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Shot:
    """One row as it is shown: its pictures by their captions, left to right, and its error inside the garment."""

    setting: str
    category: Category
    pair_id: str
    pictures: dict[str, Picture]
    error: float | None

    @property
    def file(self) -> str:
        """Path of its strip below the evaluation folder."""
        return f"galleries/{self.setting}_{self.category}/{self.pair_id}.jpg"


def choose(pair_ids: list[str], count: int, seed: int) -> set[str]:
    """`count` rows by a hash of seed and pair: the same ones for every model, and never chosen by how they came out."""
    return set(sorted(set(pair_ids), key=lambda pair: sha256_bytes(f"{seed}:{pair}".encode()))[:count])


def take(batch: Scored, setting: str, wanted: set[str], errors: NDArray[np.floating]) -> list[Shot]:
    """The wanted rows of a batch.

    Args:
        batch: results and truth.
        setting: in the paired setting the person picture is the truth and is not shown twice.
        wanted: pair ids.
        errors: the model's L1 inside the garment of the rows whose truth is known, (K,).
    """
    shots = []
    order = np.cumsum(batch.truth.known) - 1  # row of the batch to row of the truth
    for row, pair_id in enumerate(batch.pair_ids):
        if pair_id not in wanted:
            continue
        pictures = {} if setting == "paired" else {"person": batch.person[row]}
        pictures |= {"garment": batch.garment[row], "agnostic": batch.results[COPY][row]}
        pictures["result"] = batch.results[MODEL][row]
        error = None
        if batch.truth.known[row]:
            pictures["true picture"] = batch.truth.pictures[order[row]]
            error = None if np.isnan(errors[order[row]]) else float(errors[order[row]])
        shots.append(Shot(setting, batch.category, pair_id, pictures, error))
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
