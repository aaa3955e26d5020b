"""The networks of the loss come from verified files or not at all."""

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
from tryon.training import loss_networks as perceptual_weights
from tryon.training.loss_networks import load_perceptual, validate_scales
from tryon.workspace import Workspace

NONE = LossSettings(perceptual="none")


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRYON_WEIGHTS", raising=False)


@pytest.fixture
def with_vgg16(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Random weights of the published shapes stand in for the published ones, their hash included."""
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


def test_the_published_recipe_is_the_default_and_absent_networks_name_the_command(workspace: Workspace) -> None:
    with pytest.raises(
        WeightsError, match=r"vgg16-397923af\.pth .*loss\.perceptual.*: exists\. Run `tryon download-weights`"
    ):
        load_perceptual(LossSettings(), workspace)


def test_a_damaged_network_is_refused(workspace: Workspace) -> None:
    workspace.weights.mkdir(parents=True)
    (workspace.weights / WEIGHTS["vgg19"].file).write_bytes(b"not these")
    with pytest.raises(WeightsError, match="published SHA-256 dcbb9e9d"):
        load_perceptual(LossSettings(lpips=0.0), workspace)


def test_only_networks_of_terms_with_a_weight_are_read(with_vgg16: Workspace) -> None:
    found = load_perceptual(LossSettings(style=0.0, content=0.0), with_vgg16)
    assert found is not None
    assert list(found.networks) == ["vgg16"]
    published = [0.0210177, 0.00946897, 0.0377109, 0.0390982, 0.0192788]
    assert [head.min().item() for head in found.heads] == pytest.approx(published, rel=1e-5)
    with pytest.raises(WeightsError, match=r"vgg19-dcbb9e9d\.pth"):
        load_perceptual(LossSettings(), with_vgg16)


def test_other_heads_are_refused(with_vgg16: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perceptual_weights, "HEADS_SHA256", "0" * 64)
    with pytest.raises(WeightsError, match=r"vgg\.pth: has the SHA-256 0000.*torchmetrics"):
        load_perceptual(LossSettings(style=0.0, content=0.0), with_vgg16)


@pytest.mark.parametrize(
    ("size", "levels", "fine"), [((128, 96), 4, True), ((128, 96), 5, False), ((128, 128), 5, True)]
)
def test_images_too_small_for_the_networks_are_refused(size: tuple[int, int], levels: int, fine: bool) -> None:
    network = DAFlow.from_config(DAFlowConfig.narrow(levels, 8))
    validate_scales(size, network, NONE)
    if fine:
        validate_scales(size, network, LossSettings())
        return
    with pytest.raises(ParameterError, match=r"image\.size: both sides are at least 128 .*5 levels"):
        validate_scales(size, network, LossSettings())


def test_nothing_is_downloaded(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a download was tried")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", refuse)
    monkeypatch.setattr(weights, "_download", refuse)
    with pytest.raises(WeightsError):
        load_perceptual(LossSettings(), workspace)
    assert not Path(workspace.weights).exists()
