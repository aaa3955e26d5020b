"""Small packed subsets of random images."""

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
    images = {name: random.integers(0, 256, (height, width, 3), np.uint8) for name in ("person", "garment")}
    masks = {name: random.random(size) < 0.4 for name in ("mask", "garment_mask")}
    masks["background"] = np.random.default_rng([number, 1]).random(size) < 0.4
    keypoints = np.column_stack([random.uniform(0, width, 18), random.uniform(0, height, 18), np.ones(18)])
    keypoints[3] = (-1, -1, 0)
    return {
        "pair_id": f"{number:06d}_{number:06d}",
        "category": str(category),
        "split": "train",
        "person_id": f"{number:06d}",
        "garment_id": f"{number:06d}",
        **{name: cv2.imencode(".png", image)[1].tobytes() for name, image in images.items()},
        **{name: np.packbits(mask).tobytes() for name, mask in masks.items()},
        "keypoints": keypoints.astype(np.float32).ravel().tolist(),
        "height": height,
        "width": width,
    }


def figure_row(number: int, size: tuple[int, int] = SIZE) -> dict:
    """Return a row with a central mask, all joints inside the image, and a background around both."""
    row = packed_row(number, list(Category)[number % 3], size)
    height, width = size
    rows, columns = np.mgrid[:height, :width]
    radius = np.hypot((rows - height / 2) / height, (columns - width / 2) / width)
    for name, region in (("mask", radius < 0.2), ("garment_mask", radius < 0.15), ("background", radius > 0.35)):
        row[name] = np.packbits(region).tobytes()
    return row


@pytest.fixture
def figures_file(tmp_path: Path) -> Path:
    path = tmp_path / "figures.arrow"
    write_table(path, table_from_rows([figure_row(n, (64, 48)) for n in range(6)], PACKED), PACKED, {"images": "png"})
    return path


@pytest.fixture
def subset_file(tmp_path: Path) -> Path:
    rows = [packed_row(number, list(Category)[number % 3]) for number in range(7)]
    path = tmp_path / "train.arrow"
    write_table(path, table_from_rows(rows, PACKED), PACKED, {"images": "png"})
    return path
