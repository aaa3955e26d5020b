"""The twin read the way readers of the official data set do it, without any code of this project."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

FOLDERS = ["upper_body", "lower_body", "dresses"]
SIZE = (384, 512)  # width x height


def list_name(phase: str, order: str) -> str:
    return "train_pairs.txt" if phase == "train" else f"test_pairs_{order}.txt"


def read_list(root: Path, phase: str, order: str) -> list[tuple[str, str, str]]:
    rows = [line.split() for line in (root / list_name(phase, order)).read_text().splitlines()]
    return [(FOLDERS[int(code)], person, garment) for person, garment, code in rows]


def read_item(root: Path, folder: str, person: str, garment: str) -> dict[str, np.ndarray]:
    base = root / folder
    item = {}
    for key, path in {
        "image": base / "images" / person,
        "cloth": base / "images" / garment,
        "skeleton": base / "skeletons" / person.replace("_0.jpg", "_5.jpg"),
    }.items():
        item[key] = np.asarray(Image.open(path).resize(SIZE), np.float32) / 127.5 - 1
    labels = Image.open(base / "label_maps" / person.replace("_0.jpg", "_4.png"))
    item["labels"] = np.asarray(labels.resize(SIZE, Image.Resampling.NEAREST))
    dense = Image.open(base / "dense" / person.replace("_0.jpg", "_5.png"))
    item["dense"] = np.asarray(dense.resize(SIZE, Image.Resampling.NEAREST))
    points = json.loads((base / "keypoints" / person.replace("_0.jpg", "_2.json")).read_text())["keypoints"]
    item["pose"] = np.asarray(points, np.float32)[:, :2] * (SIZE[0] / 384)
    return item


@pytest.mark.parametrize(("phase", "order"), [("train", "paired"), ("test", "paired"), ("test", "unpaired")])
def test_every_row_loads(twin, phase, order):
    rows = read_list(twin.root, phase, order)
    assert {folder for folder, _, _ in rows} == set(FOLDERS)
    garment_labels = {"upper_body": {4}, "lower_body": {5, 6}, "dresses": {7}}
    for folder, person, garment in rows:
        item = read_item(twin.root, folder, person, garment)
        assert item["image"].shape == item["cloth"].shape == item["skeleton"].shape == (512, 384, 3)
        worn = np.isin(item["labels"], list(garment_labels[folder]))
        assert 0.04 < worn.mean() < 0.6
        assert item["dense"].max() <= 24
        assert item["pose"].shape == (18, 2)
        in_category = (
            twin.root / folder / ("train_pairs.txt" if phase == "train" else f"test_pairs_{order}.txt")
        ).read_text()
        assert [person, garment] in [line.split() for line in in_category.splitlines()]
