"""Perceptual terms: LPIPS equal to torchmetrics, known values of style and content, weight files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torchvision
from torchmetrics.functional.image.lpips import _NoTrainLpips

from tryon.errors import WeightsError
from tryon.training.losses import Perceptual, read_networks
from tryon.training.losses.perceptual import is_large_enough, upsample_if_small
from tryon.training.losses.perceptual_terms import content, gram, style
from tryon.training.losses.vgg import WIDTHS, FrozenVgg


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, make_state: Callable, make_heads: Callable) -> dict[str, Path]:
    """Write files of the published shapes with random values."""
    folder = tmp_path_factory.mktemp("weights")
    state = make_state("vgg16", WIDTHS)
    torch.save(state, folder / "vgg16.pth")
    heads = {f"lin{n}.model.1.weight": head for n, head in enumerate(make_heads(WIDTHS))}
    torch.save(heads, folder / "heads.pth")
    return {path.stem: path for path in folder.iterdir()}


@pytest.mark.slow
def test_lpips_equals_torchmetrics(full: dict[str, Path]) -> None:
    reference = _NoTrainLpips(net="vgg", pnet_rand=True, pretrained=False)
    state = torch.load(full["vgg16"])
    slices = {name.split(".", 1)[1]: name for name in reference.net.state_dict()}
    reference.net.load_state_dict({slices[key.removeprefix("features.")]: value for key, value in state.items()})
    reference.load_state_dict(torch.load(full["heads"]), strict=False)
    result, target = (torch.rand(2, 3, 48, 64, generator=torch.Generator().manual_seed(n)) * 2 - 1 for n in (1, 2))
    perceptual = read_networks(full["vgg16"], None, full["heads"])
    values, _ = perceptual.to(torch.device("cpu")).value_and_gradient(result, target, {"lpips": 1.0})
    assert values["lpips"].item() == pytest.approx(reference(result, target).mean().item(), rel=1e-5)
    leaf = result.double().requires_grad_()  # in float32 some ReLU inputs change sign
    expected = reference.double()(leaf, target.double()).mean()
    exact = perceptual.to(torch.device("cpu"), torch.float64)
    values, gradient = exact.value_and_gradient(leaf.detach(), target.double(), {"lpips": 1.0})
    assert values["lpips"].item() == pytest.approx(expected.item(), rel=1e-6)  # shift and scale are float32 there
    (expected_gradient,) = torch.autograd.grad(expected, leaf)
    torch.testing.assert_close(gradient, expected_gradient, rtol=1e-5, atol=1e-5 * expected_gradient.abs().max().item())


def test_terms_and_gradients_separately_and_together(narrow: Perceptual, plain: SimpleNamespace) -> None:
    result, target = (torch.rand(2, 3, 32, 32, dtype=torch.float64) * 2 - 1 for _ in range(2))
    leaf = result.clone().requires_grad_()
    style_term, content_term = plain.style_and_content(narrow, leaf, target)
    expected = {"lpips": plain.lpips(narrow, leaf, target), "style": style_term, "content": content_term}
    parts = {name: torch.autograd.grad(value, leaf, retain_graph=True)[0] for name, value in expected.items()}
    for weights in ({"lpips": 2.0}, {"style": 100.0}, {"content": 0.1}, {"lpips": 1.0, "style": 3.0, "content": 0.5}):
        values, gradient = narrow.value_and_gradient(result, target, weights)
        assert set(values) == set(weights)
        for name, value in values.items():
            torch.testing.assert_close(value, weights[name] * expected[name].detach(), rtol=1e-12, atol=0)
        expected_gradient = torch.stack([weight * parts[name] for name, weight in weights.items()]).sum(0)
        torch.testing.assert_close(gradient, expected_gradient, rtol=1e-9, atol=1e-15)


def test_terms_without_weight_need_no_network() -> None:
    result = torch.rand(1, 3, 32, 32)
    values, gradient = Perceptual({}, []).value_and_gradient(result, result, {"lpips": 0.0})
    assert values == {}
    assert (gradient == 0).all()


def test_gram_and_style_of_known_features() -> None:
    features = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).view(1, 2, 1, 2)
    assert gram(features).flatten().tolist() == [5 / 4, 11 / 4, 11 / 4, 25 / 4]
    assert style(features, torch.zeros(1, 2, 1, 2)).item() == 13 / 4
    assert style(features, features.flip(-1)).item() == 0  # positions do not matter
    assert content(features, features.flip(-1)).item() == 1


def test_zero_features_have_a_finite_gradient(narrow: Perceptual) -> None:
    dead = {}
    for name, network in narrow.networks.items():
        layers = [replace(layer, bias=torch.full_like(layer.bias, -100.0)) for layer in network.layers]
        dead[name] = FrozenVgg(layers, network.shift, network.scale)
    image = torch.rand(1, 3, 32, 32, dtype=torch.float64)
    weights = {"lpips": 1.0, "style": 1.0, "content": 1.0}
    values, gradient = Perceptual(dead, narrow.heads).value_and_gradient(image, image / 2, weights)
    assert all(value == 0 for value in values.values())
    assert (gradient == 0).all()


def test_coarsest_result_is_doubled() -> None:
    image = torch.rand(1, 3, 8, 6)
    assert upsample_if_small(image, coarsest=True).shape == (1, 3, 16, 12)
    assert upsample_if_small(image, coarsest=False) is image
    assert is_large_enough((8, 8))
    assert not is_large_enough((8, 7))


def test_cpu_uses_float32(narrow: Perceptual) -> None:
    moved = narrow.to(torch.device("cpu"))
    assert {head.dtype for head in moved.heads} == {torch.float32}
    assert {layer.weight.dtype for network in moved.networks.values() for layer in network.layers} == {torch.float32}


def test_rejects_other_files(full: dict[str, Path], tmp_path: Path, make_state: Callable) -> None:
    narrow_file, pickled = tmp_path / "narrow.pth", tmp_path / "pickled.pth"
    torch.save(make_state("vgg16"), narrow_file)
    torch.save(torchvision.ops.MLP(1, [1]), pickled)  # a module is code
    broken = tmp_path / "broken.pth"
    broken.write_bytes(full["heads"].read_bytes()[:-100])
    networks = ((narrow_file, None), (full["heads"], None), (None, full["vgg16"]), (pickled, None))
    heads = (full["vgg16"], broken)
    for files in (*((*pair, None) for pair in networks), *((None, None, file) for file in heads)):
        with pytest.raises(WeightsError, match=r"does not hold the published .*`tryon download-weights`"):
            read_networks(*files)
