"""A few packed rows with pictures drawn at random."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tryon.categories import Category
from tryon.manifest import PACKED, table_from_rows, write_table

SIZE = (32, 16)


def packed_row(number: int, category: Category, size: tuple[int, int] = SIZE) -> dict:
    random = np.random.default_rng(number)
    height, width = size
    pictures = {name: random.integers(0, 256, (height, width, 3), np.uint8) for name in ("person", "garment")}
    masks = {name: random.random(size) < 0.4 for name in ("mask", "garment_mask")}
    keypoints = np.column_stack([random.uniform(0, width, 18), random.uniform(0, height, 18), np.ones(18)])
    keypoints[3] = (-1, -1, 0)
    return {
        "pair_id": f"{number:06d}_{number:06d}",
        "category": str(category),
        "setting": "train",
        "person_id": f"{number:06d}",
        "garment_id": f"{number:06d}",
        **{name: cv2.imencode(".png", picture)[1].tobytes() for name, picture in pictures.items()},
        **{name: np.packbits(mask).tobytes() for name, mask in masks.items()},
        "keypoints": keypoints.astype(np.float32).ravel().tolist(),
        "height": height,
        "width": width,
    }


@pytest.fixture
def subset_file(tmp_path: Path) -> Path:
    rows = [packed_row(number, list(Category)[number % 3]) for number in range(7)]
    path = tmp_path / "train.parquet"
    write_table(path, table_from_rows(rows, PACKED), PACKED, {"pictures": "png"})
    return path
