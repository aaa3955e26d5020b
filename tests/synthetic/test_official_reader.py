"""Synthetic data read as readers of the official data set do, without code of this project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.slow

FOLDERS = ["upper_body", "lower_body", "dresses"]
SIZE = (384, 512)  # width x height
FULL_SIZE = (768, 1024)
GARMENT_LABELS = {"upper_body": {4}, "lower_body": {5, 6}, "dresses": {7}}

SETS = [("train", "paired"), ("test", "paired"), ("test", "unpaired")]


class Row(NamedTuple):
    folder: str
    person: str
    garment: str


def list_name(phase: str, order: str) -> str:
    return "train_pairs.txt" if phase == "train" else f"test_pairs_{order}.txt"


def read_rows(root: Path, phase: str, order: str, categories: list[str] = FOLDERS) -> list[Row]:
    """Read the list in the root for several categories, or the list of one category."""
    if len(categories) > 1:
        lines = [line.split() for line in (root / list_name(phase, order)).read_text().splitlines()]
        return [Row(FOLDERS[int(code)], person, garment) for person, garment, code in lines]
    text = (root / categories[0] / list_name(phase, order)).read_text()
    return [Row(categories[0], *line.split()) for line in text.splitlines()]


def read_item(root: Path, row: Row, with_uv: bool = False) -> dict[str, np.ndarray]:
    base = root / row.folder
    item = {}
    for key, path in {
        "image": base / "images" / row.person,
        "cloth": base / "images" / row.garment,
        "skeleton": base / "skeletons" / row.person.replace("_0.jpg", "_5.jpg"),
    }.items():
        image = Image.open(path)
        assert (image.mode, image.size) == ("RGB", FULL_SIZE)
        item[key] = np.asarray(image.resize(SIZE), np.float32) / 127.5 - 1
    labels = Image.open(base / "label_maps" / row.person.replace("_0.jpg", "_4.png"))
    dense = Image.open(base / "dense" / row.person.replace("_0.jpg", "_5.png"))
    assert (labels.mode, labels.size, dense.mode, dense.size) == ("P", FULL_SIZE, "L", FULL_SIZE)
    item["labels"] = np.asarray(labels.resize(SIZE, Image.Resampling.NEAREST))
    item["dense"] = np.asarray(dense.resize(SIZE, Image.Resampling.NEAREST))
    points = json.loads((base / "keypoints" / row.person.replace("_0.jpg", "_2.json")).read_text())["keypoints"]
    item["pose"] = np.asarray(points, np.float32)[:, :2] * (SIZE[0] / 384)
    if with_uv:
        item["full_dense"] = np.asarray(dense)
        item["uv"] = np.load(base / "dense" / row.person.replace("_0.jpg", "_5_uv.npz"))["uv"]
    return item


@pytest.mark.parametrize(("phase", "order"), SETS)
def test_every_row_loads(plain, phase, order):
    rows = read_rows(plain.root, phase, order)
    assert {row.folder for row in rows} == set(FOLDERS)
    for row in rows:
        item = read_item(plain.root, row)
        assert item["image"].shape == item["cloth"].shape == item["skeleton"].shape == (512, 384, 3)
        worn = np.isin(item["labels"], list(GARMENT_LABELS[row.folder]))
        assert 0.04 < worn.mean() < 0.6
        assert item["dense"].max() <= 24
        assert item["pose"].shape == (18, 2)
        assert (row.person[:6] == row.garment[:6]) == (order == "paired")


@pytest.mark.parametrize(("phase", "order"), SETS)
def test_category_lists_match_the_combined_list(plain, phase, order):
    combined = read_rows(plain.root, phase, order)
    assert [row for folder in FOLDERS for row in read_rows(plain.root, phase, order, [folder])] == combined


def test_keypoints_are_on_the_person(plain):
    """Most detected joints are on body pixels after scaling to the image size."""
    for row in read_rows(plain.root, "train", "paired"):
        item = read_item(plain.root, row)
        joints = item["pose"][(item["pose"] >= 0).all(1)].astype(int)
        assert len(joints) >= 8
        assert np.mean(item["dense"][joints[:, 1], joints[:, 0]] > 0) > 0.6


@pytest.mark.parametrize(("phase", "order"), SETS)
def test_uv_maps_load(everything, phase, order):
    for row in read_rows(everything, phase, order):
        item = read_item(everything, row, with_uv=True)
        assert (item["uv"].dtype, item["uv"].shape) == (np.float32, (2, 1024, 768))
        assert item["uv"].min() >= 0
        assert item["uv"].max() <= 1
        body = item["full_dense"] > 0
        assert not item["uv"][:, ~body].any()
        assert (item["uv"][:, body] > 0).any(0).mean() > 0.95
