"""A workspace after `download` and `agnostic` with small images: index, manifests and raw files."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from tryon.categories import Category, Split
from tryon.config.sample import SampleSettings
from tryon.dresscode.labels import GARMENT_LABELS
from tryon.dresscode.layout import pair_id, relative_path
from tryon.manifest import INDEX, MANIFEST, SLICE_COLUMNS, table_from_rows, write_table
from tryon.manifest.mask_png import encode_mask
from tryon.runtime.atomic_files import sha256_bytes, sha256_file
from tryon.runtime.progress import no_progress
from tryon.runtime.stage_result import StageResult
from tryon.sample.stage import sample
from tryon.workspace import Workspace

SIZE = (64, 48)
RAW_SIZE = (256, 192)
ROLES = ("person", "garment", "label_map", "keypoints")


def raw_image(random: np.random.Generator) -> bytes:
    coarse = random.integers(0, 256, (8, 6, 3), np.uint8)
    smooth = cv2.resize(coarse, RAW_SIZE[::-1], interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(".jpg", smooth)[1].tobytes()


def raw_label_map(random: np.random.Generator, category: Category) -> bytes:
    ids = np.zeros(RAW_SIZE, np.uint8)
    top, left = random.integers(10, 100, 2)
    ids[top : top + 120, left : left + 80] = GARMENT_LABELS[category][0]
    image = Image.fromarray(ids)
    image.putpalette(list(range(256)) * 3)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def raw_keypoints(random: np.random.Generator) -> bytes:
    points = [[*random.uniform(0, 384, 2).tolist(), 0.9, joint] for joint in range(17)]
    return json.dumps({"keypoints": [*points, [-1, -1, 0, -1]]}).encode()


class Maker:
    """Write raw files and collect rows of the index and the manifests; `save` writes the tables."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.index: dict[Category, list[dict[str, Any]]] = {category: [] for category in Category}
        self.manifest: dict[Category, list[dict[str, Any]]] = {category: [] for category in Category}

    def add(self, category: Category, split: Split, person: int, garment: int, status: str = "ok") -> None:
        """Add one pair, its files included."""
        ids = {"person_id": f"{person:06d}", "garment_id": f"{garment:06d}"}
        names = {
            "pair_id": pair_id(*ids.values()),
            "category": str(category),
            "split": str(split),
            **ids,
            "status": status,
        }
        roles = (*ROLES, "truth", "truth_label_map") if split is Split.TEST_UNPAIRED else ROLES
        files = {name: value for role in roles for name, value in self._file(role, category, names).items()}
        self.index[category].append({**names, **files, "licence": "own"})
        mask = np.random.default_rng(person).random(SIZE) < 0.3
        self.manifest[category].append(
            {
                **names,
                **{name: files[name] for name in ("person", "garment", "person_sha256", "garment_sha256")},
                "mask_png": encode_mask(mask) if status == "ok" else None,
                "height": SIZE[0],
                "width": SIZE[1],
                "licence": "own",
                **{name: f"{name} {person}" for name in SLICE_COLUMNS if name != "missing_joints"},
                "missing_joints": 1,
            }
        )

    def save(self, order: int = 1) -> Workspace:
        """Write the tables, rows in the order of `add` or, with -1, reversed."""
        for category in Category:
            index, manifest = self.workspace.index(category), self.workspace.manifest(category)
            write_table(index, table_from_rows(self.index[category][::order], INDEX), INDEX)
            table = table_from_rows(self.manifest[category][::order], MANIFEST)
            write_table(manifest, table, MANIFEST, {"index_sha256": sha256_file(index)})
        return self.workspace

    def _file(self, role: str, category: Category, names: dict[str, str]) -> dict[str, Any]:
        item = names["pair_id" if role.startswith("truth") else "garment_id" if role == "garment" else "person_id"]
        random = np.random.default_rng([int(item.replace("_", "")), len(role)])
        data = (
            raw_keypoints(random) if role == "keypoints"
            else raw_label_map(random, category) if role.endswith("label_map")
            else raw_image(random)
        )  # fmt: skip
        relative = relative_path(role, category, item)
        path: Path = self.workspace.raw / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return {role: relative.as_posix(), f"{role}_bytes": len(data), f"{role}_sha256": sha256_bytes(data)}


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """An empty workspace with one worker."""
    monkeypatch.setenv("TRYON_WORKERS", "1")
    return Workspace(tmp_path / "project")


@pytest.fixture
def maker(workspace: Workspace) -> Maker:
    """Ten training pairs and three test people in each category."""
    made = Maker(workspace)
    for category in Category:
        first = 100 * category.list_code
        for number in range(first, first + 10):
            made.add(category, Split.TRAIN, number, number)
        for number in range(first + 10, first + 13):
            made.add(category, Split.TEST_PAIRED, number, number)
            made.add(category, Split.TEST_UNPAIRED, number, first + 10 + (number + 1 - first - 10) % 3)
    return made


@pytest.fixture
def run(workspace: Workspace) -> Callable[..., StageResult]:
    """Run the stage."""

    def _run(seed: int = 7, size: tuple[int, int] = SIZE, **settings: object) -> StageResult:
        return sample(SampleSettings.model_validate(settings), seed, size, workspace, no_progress)

    return _run
