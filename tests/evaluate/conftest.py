"""Fixtures: a small project with test rows, manifests, an untrained checkpoint and its training history."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from tryon.categories import Category
from tryon.config.evaluate import EvaluateSettings
from tryon.daflow import DAFlow, DAFlowConfig
from tryon.evaluate.stage import evaluate
from tryon.manifest import MANIFEST, MASK_PREVIEWS, PACKED, table_from_rows, write_table
from tryon.manifest.schemas import METHOD_COMPARISON_KEY
from tryon.runtime.atomic_files import write_bytes, write_text
from tryon.runtime.progress import no_progress
from tryon.runtime.stage_result import StageResult
from tryon.training.checkpoint import from_network, save_checkpoint
from tryon.workspace import Workspace

SIZE = (64, 48)
PER_CATEGORY = 3


def png(image: np.ndarray) -> bytes:
    return cv2.imencode(".png", np.ascontiguousarray(image[..., ::-1]))[1].tobytes()


def figure(number: int, garment_color: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Return a person image: a random background with a striped garment."""
    random = np.random.default_rng(number)
    background = cv2.resize(random.integers(0, 255, (4, 3, 3), np.uint8), SIZE[::-1], interpolation=cv2.INTER_CUBIC)
    image = background.astype(np.uint8)
    image[region] = garment_color
    stripes = region & (np.arange(SIZE[0])[:, None] % 8 < 4)
    image[stripes] += np.uint8(25)
    return image


def packed_row(number: int, category: Category, setting: str, truth: bool) -> dict[str, Any]:
    random = np.random.default_rng([number, list(Category).index(category)])
    worn_color, new_color = random.integers(30, 220, (2, 3), np.uint8)
    top = {Category.UPPER_BODY: 12, Category.LOWER_BODY: 30, Category.DRESSES: 12}[category]
    region, masked = np.zeros((2, *SIZE), bool)
    region[top : top + 20, 14:34] = True
    masked[top - 3 : top + 23, 11:37] = True
    flat = np.full((*SIZE, 3), 255, np.uint8)
    flat[10:50, 10:38] = worn_color if setting == "test_paired" else new_color
    person = figure(number, worn_color, region)
    keypoints = np.column_stack([random.uniform(5, 43, 18), random.uniform(5, 59, 18), np.ones(18)])
    code = list(Category).index(category)
    row = {
        "pair_id": f"{code}{number:05d}_{code}{number + (setting != 'test_paired'):05d}",
        "category": str(category),
        "split": setting,
        "person_id": f"{code}{number:05d}",
        "garment_id": f"{code}{number:05d}",
        "person": png(person),
        "garment": png(flat),
        "mask": np.packbits(masked).tobytes(),
        "garment_mask": np.packbits(region).tobytes(),
        "keypoints": keypoints.astype(np.float32).ravel().tolist(),
        "height": SIZE[0],
        "width": SIZE[1],
        "licence": "synthetic",
    }
    true = person if setting == "test_paired" else figure(number, new_color, region)
    if truth:
        row |= {"truth": png(true), "truth_garment_mask": np.packbits(region).tobytes()}
    if truth or setting == "test_paired":  # no warp of the flat garment reproduces the figure's stripes
        color = worn_color if setting == "test_paired" else new_color
        row["oracle_warp"] = png(np.where(region[..., None], color, true))
    return row


def write_subset(workspace: Workspace, part: str, rows: list[dict[str, Any]]) -> None:
    write_table(workspace.subset(part), table_from_rows(rows, PACKED), PACKED, {"images": "png"})


def rows_of(setting: str, truth: bool) -> list[dict[str, Any]]:
    return [packed_row(number, category, setting, truth) for number in range(PER_CATEGORY) for category in Category]


def write_manifests(workspace: Workspace) -> None:
    for category in Category:
        rows = [
            {
                "pair_id": f"{number}",
                "category": str(category),
                "split": "train",
                "person_id": "1",
                "garment_id": "1",
                "mask_fraction": 0.25,
                "leak_fraction": None if number == 2 else 0.04 * number,
                "protected_fraction": 0.0,
                "outline_similarity": 0.3,
                "status": "quarantined" if number == 3 else "ok",
            }
            for number in range(4)
        ]
        metadata = {METHOD_COMPARISON_KEY: json.dumps(mask_methods(category))}
        write_table(workspace.manifest(category), table_from_rows(rows, MANIFEST), MANIFEST, metadata)
        write_table(workspace.mask_images(category), table_from_rows(mask_previews(), MASK_PREVIEWS), MASK_PREVIEWS)


def mask_methods(category: Category) -> list[dict[str, Any]]:
    """Return rows of two mask methods, the second of which leaves skirts visible."""
    kinds = {"all": 0.4, "skirt": 0.8, "trousers": 0.0} if category is Category.LOWER_BODY else {"all": 0.0}
    return [
        {"method": method, "worn": worn, "people": 100, "mask_fraction": 0.25, "leak_fraction": leak * number}
        | {"protected_fraction": 0.001, "outline_similarity": 0.2 + 0.5 * number, "leaking": leak * number}
        for number, method in enumerate(("fitting-room", "dresscode-official"))
        for worn, leak in kinds.items()
    ]


def mask_previews() -> list[dict[str, Any]]:
    """Return six worst masks and two typical ones."""
    strip = np.full((16, 60, 3), 200, np.uint8)
    image = cv2.imencode(".webp", strip)[1].tobytes()
    return [
        {"why": "worst" if number < 6 else "typical", "person_id": f"person{number}", "worn": "dress"}
        | {"mask_fraction": 0.25, "leak_fraction": None, "protected_fraction": 0.0}
        | {"outline_similarity": 0.3, "image": image}
        for number in range(8)
    ]


def write_training(folder: Path, epochs: int, categories: list[Category]) -> None:
    header = "epoch,step,lr,train_loss,val_l1,val_l1_upper_body,val_l1_lower_body,val_l1_dresses"
    lines = [header]
    for epoch in range(epochs):
        loss = "" if epoch == 0 else f"{1 / (epoch + 1):.4f}"
        losses = [f"{0.4 / (epoch + 1):.4f}" if category in categories else "" for category in Category]
        lines.append(",".join([str(epoch), str(epoch * 10), "", loss, f"{0.4 / (epoch + 1):.4f}", *losses]))
        for category in categories:
            grid = np.random.default_rng(epoch).integers(0, 255, (4 * 68, 4 * 52, 3), np.uint8)
            write_bytes(folder / "grids" / f"epoch_{epoch:03d}_{category}.png", png(grid))
    write_text(folder / "history.csv", "\n".join(lines) + "\n")


@pytest.fixture
def make_rows() -> Callable[[str, bool], list[dict[str, Any]]]:
    """Return packed rows of a setting, with or without ground truth."""
    return rows_of


@pytest.fixture
def write_list() -> Callable[[Workspace, str, list[dict[str, Any]]], None]:
    """Write one list of the subset."""
    return write_subset


def make_project(root: Path) -> Workspace:
    project = Workspace(root)
    write_subset(project, "test_paired", rows_of("test_paired", truth=False))
    write_subset(project, "test_unpaired", rows_of("test_unpaired", truth=True))
    write_manifests(project)
    write_training(project.pretrained, 2, [Category.UPPER_BODY])
    write_training(project.checkpoints, 3, list(Category))
    torch.manual_seed(1)
    network = DAFlow(DAFlowConfig.narrow(levels=2, divisor=16))
    save_checkpoint(project.checkpoints / "best.ckpt", from_network(network))
    return project


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Return a project in which all stages before `evaluate` are finished."""
    monkeypatch.delenv("TRYON_WEIGHTS", raising=False)
    return make_project(tmp_path)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, StageResult]:
    """Return the same project after `evaluate`, read-only, with the stage result."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("TRYON_WEIGHTS", raising=False)
        project = make_project(tmp_path_factory.mktemp("finished"))
        return project, evaluate(
            EvaluateSettings(accelerator="cpu", batch_size=2, num_gallery_samples=2), 7, project, no_progress
        )


@pytest.fixture(scope="session")
def evaluated(finished: tuple[Workspace, StageResult]) -> Workspace:
    """Return the workspace of the finished project."""
    return finished[0]
