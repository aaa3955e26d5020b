"""The frozen VGG equals the plain network in features and gradients."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
import torchvision
from torch import Tensor

from tryon.training.losses import vgg
from tryon.training.losses.vgg import WIDTHS, FrozenVgg, Term, Terms

MakeState = Callable[..., dict[str, Tensor]]


def mean_square(result: Tensor, target: Tensor) -> Tensor:
    return (result - target).square().mean()


TERMS: Terms = {
    "relu1_2": {"a": Term(mean_square)},
    "relu2_1": {
        "a": Term(mean_square, 3.0),
        "b": Term(lambda result, _: result.std(), 2.0, mean_over_pixels=False),
    },
    "relu4_2": {"b": Term(mean_square)},
}


@pytest.fixture
def network(make_state: MakeState) -> FrozenVgg:
    return FrozenVgg.from_state(make_state("vgg16"), "vgg16", (0.1, 0.2, 0.3), (0.4, 0.5, 0.6)).to("cpu", torch.float64)


@pytest.mark.parametrize("band", [vgg.BAND_SIZE, 500])
@pytest.mark.parametrize("size", [(32, 16), (37, 21)])
def test_values_and_gradient_equal_autograd(
    network: FrozenVgg, plain: SimpleNamespace, size: tuple[int, int], band: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vgg, "BAND_SIZE", band)
    image, target = (torch.rand(2, 3, *size, dtype=torch.float64) * 2 - 1 for _ in range(2))
    image.requires_grad_()
    values, gradient = network.value_and_gradient(image, target, TERMS)
    result, reference = plain.features(network, image), plain.features(network, target)
    expected = {name: torch.zeros((), dtype=torch.float64) for name in "ab"}
    for layer, terms in TERMS.items():
        for name, term in terms.items():
            expected[name] = expected[name] + term.weight * term.function(result[layer], reference[layer])
    torch.testing.assert_close(values, {name: value.detach() for name, value in expected.items()}, rtol=1e-12, atol=0)
    (expected_gradient,) = torch.autograd.grad(expected["a"] + expected["b"], image)
    torch.testing.assert_close(gradient, expected_gradient, rtol=1e-10, atol=1e-18)
    assert not gradient.requires_grad


def test_layers_after_the_last_term_are_not_run(make_state: MakeState) -> None:
    state = make_state("vgg16")
    for key in state:
        if int(key.split(".")[1]) > 19:  # after relu4_2
            state[key] = torch.full_like(state[key], float("nan"))
    image = torch.rand(1, 3, 32, 32)
    values, gradient = FrozenVgg.from_state(state, "vgg16").value_and_gradient(image, image + 0.1, TERMS)
    assert all(torch.isfinite(value) for value in (*values.values(), gradient.sum()))


@pytest.mark.parametrize("name", ["vgg16", "vgg19"])
def test_layers_equal_torchvision(name: str) -> None:
    with torch.device("meta"):
        reference = getattr(torchvision.models, name)(weights=None)
    frozen = FrozenVgg.from_state(reference.state_dict(), name).layers
    convolutions = [(n, module) for n, module in enumerate(reference.features) if hasattr(module, "weight")]
    assert len(frozen) == len(convolutions)
    for layer, (number, module) in zip(frozen, convolutions, strict=True):
        assert layer.weight.shape == module.weight.shape
        pools = number > 0 and isinstance(reference.features[number - 1], torch.nn.MaxPool2d)
        assert layer.pools == pools
    widths = dict.fromkeys(layer.weight.shape[0] for layer in frozen)
    assert tuple(widths) == tuple(dict.fromkeys(WIDTHS))


def test_features_equal_torchvision(plain: SimpleNamespace) -> None:
    torch.manual_seed(0)
    reference = torchvision.models.vgg16(weights=None).features.eval()
    frozen = FrozenVgg.from_state({f"features.{key}": value for key, value in reference.state_dict().items()}, "vgg16")
    image = torch.rand(1, 3, 32, 32)
    found = plain.features(frozen, image)
    for name, count in (("relu1_2", 4), ("relu3_3", 16), ("relu5_3", 30)):
        torch.testing.assert_close(found[name], reference[:count](image))


@pytest.mark.parametrize("weight_scale", [1.0, 1e-3])
def test_half_precision_gradient_is_close(make_state: MakeState, weight_scale: float) -> None:
    """As on a GPU, also with small gradients; image, values and gradient stay in float32."""
    state = make_state("vgg16", (32, 32, 48, 64, 64))
    image = torch.rand(1, 3, 64, 48, generator=torch.Generator().manual_seed(3)) * 2 - 1
    terms: Terms = {layer: {"a": Term(mean_square, weight_scale)} for layer in ("relu1_2", "relu4_2")}
    found = []
    for kind in (torch.float32, torch.float16):
        network = FrozenVgg.from_state(state, "vgg16").to("cpu", kind)
        found.append(network.value_and_gradient(image, image.flip(-1), terms))
    (values, exact), (near_values, near) = found
    assert near.dtype == near_values["a"].dtype == torch.float32
    assert near_values["a"].item() == pytest.approx(values["a"].item(), rel=2e-3)
    assert torch.cosine_similarity(exact.flatten() / weight_scale, near.flatten() / weight_scale, dim=0) > 0.99


def test_weights_are_not_trained(network: FrozenVgg) -> None:
    image = torch.rand(1, 3, 32, 32, dtype=torch.float64)
    before = [layer.weight.clone() for layer in network.layers]
    network.value_and_gradient(image, image / 2, TERMS)
    assert not any(layer.weight.requires_grad for layer in network.layers)
    assert all(torch.equal(weight, layer.weight) for weight, layer in zip(before, network.layers, strict=True))
