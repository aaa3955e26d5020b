"""A workspace with a small subset, and settings of one-second runs."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from tryon.categories import Category
from tryon.config.training import FinetuneSettings, PretrainSettings
from tryon.manifest import PACKED, table_from_rows, write_table
from tryon.training import loop
from tryon.workspace import Workspace

SIZE = (32, 16)
NETWORK = {
    "num_flows": 2, "encoder_channels": [4, 4], "pyramid_channels": 4, "flow_channels": [4, 4, 4],
    "image_encoder_channels": [6, 6], "grid_normalization": "identity",
}  # fmt: skip
QUICK = {
    "epochs": 2,
    "batch_size": 2,
    "lr": 1e-2,
    "warmup_steps": 2,
    "accelerator": "cpu",
    "loss": {"perceptual": "none"},
}


def packed_row(number: int, category: Category, size: tuple[int, int] = SIZE) -> dict:
    """Return a person in a garment of one color, which is masked, in the middle of the image."""
    random = np.random.default_rng(number)
    height, width = size
    garment = np.full((height, width, 3), random.integers(0, 256, 3), np.uint8)
    person = np.full((height, width, 3), random.integers(0, 256, 3), np.uint8)
    garment_mask = np.zeros(size, bool)
    garment_mask[height // 4 : -height // 4, width // 4 : -width // 4] = True
    person[garment_mask] = garment[garment_mask]
    keypoints = np.column_stack([random.uniform(0, width, 18), random.uniform(0, height, 18), np.ones(18)])
    number_id = f"{number:06d}"
    return {
        "pair_id": f"{number_id}_{number_id}",
        "category": str(category),
        "split": "train",
        "person_id": number_id,
        "garment_id": number_id,
        "person": cv2.imencode(".png", person)[1].tobytes(),
        "garment": cv2.imencode(".png", garment)[1].tobytes(),
        "mask": np.packbits(garment_mask).tobytes(),
        "garment_mask": np.packbits(garment_mask).tobytes(),
        "keypoints": keypoints.astype(np.float32).ravel().tolist(),
        "height": height,
        "width": width,
    }


def write_subset(workspace: Workspace, part: str, rows: list[dict]) -> None:
    write_table(workspace.subset(part), table_from_rows(rows, PACKED), PACKED, {"images": "png"})


def make_workspace(root: Path, size: tuple[int, int] = SIZE) -> Workspace:
    """Create a workspace with nine training and six validation rows of all three categories."""
    workspace = Workspace(root)
    for part, numbers in (("train", range(9)), ("val", range(20, 26))):
        write_subset(workspace, part, [packed_row(n, list(Category)[n % 3], size) for n in numbers])
    return workspace


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use one thread: small images gain nothing from more, which wait for each other on a busy machine."""
    monkeypatch.setenv("TRYON_THREADS", "1")
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def enough_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip the memory check, which takes longer than these runs."""
    monkeypatch.setattr(loop, "check_memory", lambda *_: None)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path)


@pytest.fixture
def pretrain_settings() -> PretrainSettings:
    return PretrainSettings.model_validate({**QUICK, "init_from": "scratch", "network": NETWORK})


@pytest.fixture
def finetune_settings() -> FinetuneSettings:
    return FinetuneSettings.model_validate(QUICK)
