"""A workspace with manifests of three categories: six people each, in train and test lists, one row quarantined."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tryon.categories import Category
from tryon.dresscode.layout import pair_id, relative_path
from tryon.manifest import INDEX, MANIFEST, table_from_rows, write_table
from tryon.manifest.mask_png import encode_mask
from tryon.runtime.atomic_files import sha256_bytes, sha256_file
from tryon.workspace import Workspace

PHOTO, SIZE = (256, 192), (128, 96)
"""Height and width of the raw photos, and of the masks."""

PAIRS = [("train", 0, 0), ("train", 1, 1), ("train", 2, 2)]
PAIRS += [("test_paired", number, number) for number in (3, 4, 5)]
PAIRS += [("test_unpaired", 3, 4), ("test_unpaired", 4, 5), ("test_unpaired", 5, 3)]


def ids(category: Category) -> list[str]:
    return [f"{100 * category.list_code + number:06d}" for number in range(6)]


def mask_of(category: Category, number: int) -> np.ndarray:
    """A different shape for each person, at SIZE."""
    mask = np.zeros(SIZE, np.bool_)
    mask[20 + 5 * number : 100, 15 + 3 * category.list_code : 70] = True
    return mask


def dense_pose_of(number: int) -> np.ndarray:
    parts = np.zeros(PHOTO, np.uint8)
    parts[60:200, 40:150] = 1 + number
    return parts


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path / "work")
    for category in Category:
        write_category(workspace, category)
    return workspace


def write_category(workspace: Workspace, category: Category, config_hash: str = "r1") -> None:
    rows = [row_of(workspace, category, *pair) for pair in PAIRS]
    bad = {"pair_id": "999999_999999", "category": category, "split": "train", "person_id": "999999"}
    rows.append(
        bad | {"garment_id": "999999", "status": "quarantined", "reason": "label map is not a complete PNG file"}
    )
    write_rows(workspace, category, rows, config_hash)


def write_rows(workspace: Workspace, category: Category, rows: list[dict[str, Any]], config_hash: str = "r1") -> None:
    """Index and manifest of these rows, which have the columns of both."""
    index = [{name: row.get(name) for name in INDEX.columns.names} for row in rows]
    write_table(workspace.index(category), table_from_rows(index, INDEX), INDEX)
    manifest = [{name: row.get(name) for name in MANIFEST.columns.names} | {"config_hash": config_hash} for row in rows]
    metadata = {"index_sha256": sha256_file(workspace.index(category))}
    write_table(workspace.manifest(category), table_from_rows(manifest, MANIFEST), MANIFEST, metadata)


def row_of(workspace: Workspace, category: Category, split: str, person: int, garment: int) -> dict[str, Any]:
    names = ids(category)
    row: dict[str, Any] = {"pair_id": pair_id(names[person], names[garment]), "category": category}
    row |= {"split": split, "person_id": names[person], "garment_id": names[garment]}
    row |= {"height": SIZE[0], "width": SIZE[1], "licence": "synthetic", "status": "ok"}
    row |= raw_file(workspace, "person", category, names[person], photo(10 * person + category.list_code, ".jpg"))
    row |= raw_file(workspace, "garment", category, names[garment], photo(1000 + garment, ".jpg"))
    parts = cv2.imencode(".png", dense_pose_of(person))[1].tobytes()
    row |= raw_file(workspace, "dense_pose", category, names[person], parts)
    return row | {"mask_png": encode_mask(mask_of(category, person))}


def photo(seed: int, suffix: str) -> bytes:
    """A smooth image of PHOTO's size, bright, without black and gray pixels."""
    coarse = np.random.default_rng(seed).integers(150, 240, (3, 2, 3)).astype(np.uint8)
    return cv2.imencode(suffix, cv2.resize(coarse, PHOTO[::-1], interpolation=cv2.INTER_LINEAR))[1].tobytes()


def raw_file(workspace: Workspace, role: str, category: Category, item: str, content: bytes) -> dict[str, Any]:
    path = relative_path(role, category, item)
    (workspace.raw / path).parent.mkdir(parents=True, exist_ok=True)
    (workspace.raw / path).write_bytes(content)
    return {role: path.as_posix(), f"{role}_bytes": len(content), f"{role}_sha256": sha256_bytes(content)}
