"""Small structured images, and random weights in published layouts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from numpy.typing import NDArray


@pytest.fixture(scope="session")
def images() -> NDArray[np.uint8]:
    """Four random smooth images, uint8 (4, 64, 48, 3)."""
    rough = torch.from_numpy(np.random.default_rng(1).random((4, 3, 8, 6), np.float32))
    smooth = torch.nn.functional.interpolate(rough, (64, 48), mode="bilinear")
    return (smooth.permute(0, 2, 3, 1).numpy() * 255).astype(np.uint8)


@pytest.fixture(scope="session")
def changed(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the images with increasing noise."""
    noise = np.random.default_rng(2).normal(0, 1, images.shape) * np.array([2, 8, 20, 60])[:, None, None, None]
    return (images + noise).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def alexnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write an AlexNet file in torchvision's layout with random weights."""
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("weights") / "alexnet.pth"
    torch.save(torchvision.models.alexnet(weights=None).state_dict(), path)
    return path
