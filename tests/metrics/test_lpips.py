"""LPIPS from local weights equals torchmetrics with the same weights, without a download."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from numpy.typing import NDArray
from torchmetrics.functional.image import learned_perceptual_image_patch_similarity
from torchmetrics.functional.image.lpips import _NoTrainLpips

from tryon.errors import WeightsError
from tryon.metrics import IMAGE
from tryon.metrics.lpips import ALEXNET, SQUEEZENET, VGG, Backbone, load

pytestmark = pytest.mark.slow

MODELS = {ALEXNET: "alexnet", VGG: "vgg16", SQUEEZENET: "squeezenet1_1"}


@pytest.fixture(scope="module", params=list(MODELS), ids=list(MODELS.values()))
def backbone(request: pytest.FixtureRequest) -> Backbone:
    return request.param


@pytest.fixture(scope="module")
def weights(backbone: Backbone, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the backbone's file in torchvision's layout with random weights."""
    torch.manual_seed(3)
    network = torchvision.models.get_model(MODELS[backbone], weights=None)
    path = tmp_path_factory.mktemp("weights") / "backbone.pth"
    torch.save({name: value for name, value in network.state_dict().items() if name.startswith("features.")}, path)
    return path


@pytest.fixture
def torchmetrics_with(backbone: Backbone, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make torchmetrics use the same weights instead of downloading others."""
    build = getattr(torchvision.models, MODELS[backbone])

    def with_local_weights(requested: object = None, **kwargs: object) -> torch.nn.Module:
        network = build(weights=None)
        network.load_state_dict(torch.load(weights), strict=False)
        return network

    monkeypatch.setattr(torchvision.models, MODELS[backbone], with_local_weights)


def _floats(images: NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255


@pytest.mark.usefixtures("torchmetrics_with")
def test_matches_torchmetrics_with_equal_weights(
    images: NDArray[np.uint8], changed: NDArray[np.uint8], backbone: Backbone, weights: Path
) -> None:
    result = load(weights, backbone=backbone)(changed, images, {IMAGE: None})[IMAGE]
    expected = learned_perceptual_image_patch_similarity(
        _floats(changed), _floats(images), backbone.net, reduction="none", normalize=True
    )
    np.testing.assert_allclose(result, expected.flatten(), rtol=1e-5)
    assert (np.diff(result) > 0).all()


@pytest.mark.usefixtures("torchmetrics_with")
def test_region_is_the_mean_of_the_spatial_map(
    images: NDArray[np.uint8], changed: NDArray[np.uint8], backbone: Backbone, weights: Path
) -> None:
    network = _NoTrainLpips(net=backbone.net, spatial=True)
    with torch.inference_mode():
        local = network(_floats(changed), _floats(images), normalize=True)[:, 0]
    region = np.zeros(images.shape[:3], bool)
    region[:3, 10:40, 5:30] = True
    measure = load(weights, backbone=backbone)
    for _ in range(2):  # calls do not affect each other
        rows = measure(changed, images, {IMAGE: None, "some": region, "all": np.ones_like(region)})
        expected = [
            float(distances[mask].mean())
            for distances, mask in zip(local[:3], torch.from_numpy(region[:3]), strict=True)
        ]
        np.testing.assert_allclose(rows["some"][:3], expected, rtol=1e-5)
        assert np.isnan(rows["some"][3])
        np.testing.assert_allclose(rows["all"], local.mean((1, 2)), rtol=1e-5)


@pytest.mark.parametrize("backbone", MODELS, ids=MODELS.values(), scope="function")
def test_min_side_is_the_smallest_supported(backbone: Backbone) -> None:
    network = _NoTrainLpips(net=backbone.net, pnet_rand=True)
    smallest = torch.zeros(1, 3, backbone.min_side, backbone.min_side)
    assert float(network(smallest, smallest)) == 0
    with pytest.raises(RuntimeError):
        network(smallest[..., 1:], smallest[..., 1:])


def test_empty_batch(images: NDArray[np.uint8], alexnet: Path) -> None:
    assert load(alexnet)(images[:0], images[:0], {IMAGE: None})[IMAGE].shape == (0,)


def test_distance_of_equal_images_is_zero(images: NDArray[np.uint8], alexnet: Path) -> None:
    assert load(alexnet)(images[:1], images[:1], {IMAGE: None})[IMAGE].tolist() == [0.0]


def test_rejects_other_files(tmp_path: Path) -> None:
    path = tmp_path / "alexnet.pth"
    path.write_bytes(b"no weights")
    with pytest.raises(WeightsError, match="not torchvision's AlexNet"):
        load(path)
    torch.save({"features.0.weight": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match="not torchvision's AlexNet"):
        load(path)
