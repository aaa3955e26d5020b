"""LPIPS from a local file: the numbers torchmetrics gives with the same weights, and no download."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from numpy.typing import NDArray
from torchmetrics.functional.image import learned_perceptual_image_patch_similarity

from tryon.errors import WeightsError
from tryon.metrics import PICTURE
from tryon.metrics.lpips import load


def test_it_agrees_with_torchmetrics_given_the_same_alexnet(
    pictures: NDArray[np.uint8], changed: NDArray[np.uint8], alexnet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = torchvision.models.alexnet

    def with_our_weights(weights: object = None) -> torch.nn.Module:
        network = plain(weights=None)
        network.load_state_dict(torch.load(alexnet))
        return network

    ours = load(alexnet)(changed, pictures, {PICTURE: None})[PICTURE]
    monkeypatch.setattr(torchvision.models, "alexnet", with_our_weights)
    first, second = (torch.from_numpy(p).permute(0, 3, 1, 2).float() / 255 for p in (changed, pictures))
    theirs = learned_perceptual_image_patch_similarity(first, second, "alex", reduction="none", normalize=True)
    np.testing.assert_allclose(ours, theirs.flatten(), rtol=1e-5)
    assert (np.diff(ours) > 0).all()


def test_equal_pictures_are_at_distance_zero(pictures: NDArray[np.uint8], alexnet: Path) -> None:
    assert load(alexnet)(pictures[:1], pictures[:1], {PICTURE: None})[PICTURE].tolist() == [0.0]


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "alexnet.pth"
    path.write_bytes(b"no weights")
    with pytest.raises(WeightsError, match="holds torchvision's AlexNet"):
        load(path)
    torch.save({"features.0.weight": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match="holds torchvision's AlexNet"):
        load(path)
