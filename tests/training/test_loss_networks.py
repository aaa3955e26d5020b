"""Networks of the loss are loaded from verified files only."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torchvision

from tryon import pretrained_weights as weights
from tryon.config.training import LossSettings
from tryon.daflow import DAFlow, DAFlowConfig
from tryon.errors import ParameterError, WeightsError
from tryon.pretrained_weights import WEIGHTS, WeightFile
from tryon.runtime.atomic_files import sha256_file
from tryon.training import loss_networks
from tryon.training.loss_networks import load_perceptual, validate_scales
from tryon.workspace import Workspace

NONE = LossSettings(perceptual="none")


@pytest.fixture(autouse=True)
def _default_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRYON_WEIGHTS", raising=False)


@pytest.fixture
def with_vgg16(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Write random weights of the published shapes, with their hash as the published one."""
    workspace.weights.mkdir(parents=True)
    path = workspace.weights / WEIGHTS["vgg16"].file
    with torch.device("meta"):
        features = torchvision.models.vgg16(weights=None).features
    torch.save({f"features.{key}": torch.rand(value.shape) for key, value in features.state_dict().items()}, path)
    standin = WeightFile("vgg16", path.name, "a test", sha256=sha256_file(path))
    monkeypatch.setitem(weights.WEIGHTS, "vgg16", standin)
    return workspace


def test_none_needs_no_file(workspace: Workspace) -> None:
    assert load_perceptual(NONE, workspace) is None


def test_missing_networks_of_the_default_recipe_name_the_command(workspace: Workspace) -> None:
    with pytest.raises(WeightsError, match=r"vgg16-397923af\.pth .*loss\.perceptual") as error:
        load_perceptual(LossSettings(), workspace)
    assert "tryon download-weights" in error.value.hint


def test_rejects_a_damaged_network(workspace: Workspace) -> None:
    workspace.weights.mkdir(parents=True)
    (workspace.weights / WEIGHTS["vgg19"].file).write_bytes(b"not these")
    with pytest.raises(WeightsError, match="dcbb9e9d"):
        load_perceptual(LossSettings(lpips=0.0), workspace)


def test_reads_only_networks_of_terms_with_a_weight(with_vgg16: Workspace) -> None:
    perceptual = load_perceptual(LossSettings(style=0.0, content=0.0), with_vgg16)
    assert perceptual is not None
    assert list(perceptual.networks) == ["vgg16"]
    published = [0.0210177, 0.00946897, 0.0377109, 0.0390982, 0.0192788]
    assert [head.min().item() for head in perceptual.heads] == pytest.approx(published, rel=1e-5)
    with pytest.raises(WeightsError, match=r"vgg19-dcbb9e9d\.pth"):
        load_perceptual(LossSettings(), with_vgg16)


def test_rejects_other_heads(with_vgg16: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss_networks, "LPIPS_HEADS_SHA256", "0" * 64)
    with pytest.raises(WeightsError, match=r"vgg\.pth .*SHA-256.*0000.*torchmetrics"):
        load_perceptual(LossSettings(style=0.0, content=0.0), with_vgg16)


@pytest.mark.parametrize(
    ("size", "levels", "accepted"), [((128, 96), 4, True), ((128, 96), 5, False), ((128, 128), 5, True)]
)
def test_rejects_too_small_images(size: tuple[int, int], levels: int, accepted: bool) -> None:
    network = DAFlow(DAFlowConfig.narrow(levels, 8))
    validate_scales(size, network, NONE)
    if accepted:
        validate_scales(size, network, LossSettings())
        return
    with pytest.raises(ParameterError, match=r"image\.size .*5 levels.*128"):
        validate_scales(size, network, LossSettings())


def test_does_not_download(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("unexpected download")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", refuse)
    monkeypatch.setattr(weights, "_download", refuse)
    with pytest.raises(WeightsError):
        load_perceptual(LossSettings(), workspace)
    assert not Path(workspace.weights).exists()
