"""The loss and its gradients equal the published sum, although scales are processed one by one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from tryon.config.training import LossSettings
from tryon.daflow import DAFlow, DAFlowConfig, init_small_flows
from tryon.training.losses import Loss, LossTargets, Perceptual, resize
from tryon.training.losses.loss import scale_weights

SIZE = (64, 48)
FLOAT = torch.float64


def settings(**changes: Any) -> LossSettings:
    return LossSettings.model_validate({"perceptual": "none", **changes})


def images(channels: int, seed: int, size: tuple[int, int] = SIZE) -> Tensor:
    return torch.rand(2, channels, *size, generator=torch.Generator().manual_seed(seed), dtype=FLOAT) * 2 - 1


@pytest.fixture
def targets() -> LossTargets:
    mask = torch.zeros(2, 1, *SIZE, dtype=torch.bool)
    mask[..., 16:48, 12:36] = True
    garment = mask.clone()
    garment[0, :, :, :20] = False
    return LossTargets(images(3, 1), mask, garment)


@pytest.fixture
def results() -> list[Tensor]:
    sizes = [(SIZE[0] // 2**n, SIZE[1] // 2**n) for n in (2, 1, 0)]
    return [images(3, 10 + n, size).requires_grad_() for n, size in enumerate(sizes)]


def perfect(targets: LossTargets) -> list[Tensor]:
    return [resize(targets.person, (SIZE[0] // 2**n, SIZE[1] // 2**n)).requires_grad_() for n in (2, 1, 0)]


def gradients(total: Tensor, tensors: list[Tensor]) -> list[Tensor]:
    return list(torch.autograd.grad(total, tensors))


def test_equals_the_published_loss_and_its_gradients(
    narrow: Perceptual, plain: SimpleNamespace, results: list[Tensor], targets: LossTargets
) -> None:
    published = LossSettings()
    value = Loss(published, narrow)(results, targets)
    expected = plain.loss(published, narrow, results, targets)
    torch.testing.assert_close(value.total, expected, rtol=1e-12, atol=0)
    for gradient, expected_gradient in zip(gradients(value.total, results), gradients(expected, results), strict=True):
        torch.testing.assert_close(gradient, expected_gradient, rtol=1e-9, atol=1e-15)


def test_network_gradients_equal_those_of_the_plain_sum(
    narrow: Perceptual, plain: SimpleNamespace, targets: LossTargets
) -> None:
    """All scales share one backward pass through the network."""
    torch.manual_seed(0)
    network = DAFlow(DAFlowConfig(6, 3, 2, (4, 4, 4), 4, (4, 4, 4), (6, 6), "identity"))
    init_small_flows(network)
    network.double().eval()
    inputs = (images(6, 2), images(3, 3), images(3, 4))
    parameter_grads = []
    for loss in (Loss(LossSettings(), narrow), None):
        network.zero_grad()
        _, scales = network(*inputs, all_scales=True)
        total = loss(scales, targets).total if loss else plain.loss(LossSettings(), narrow, scales, targets)
        (total / 4).backward()
        parameter_grads.append({name: parameter.grad.clone() for name, parameter in network.named_parameters()})
    assert any(gradient.abs().max() > 0 for gradient in parameter_grads[0].values())
    for name, gradient in parameter_grads[0].items():
        torch.testing.assert_close(gradient, parameter_grads[1][name], rtol=1e-8, atol=1e-13, msg=name)


def test_no_graph_of_the_frozen_networks_is_retained(
    narrow: Perceptual, results: list[Tensor], targets: LossTargets
) -> None:
    total = Loss(LossSettings(), narrow)(results, targets).total
    assert total.grad_fn is not None
    assert [saved.shape for saved in total.grad_fn.saved_tensors] == [result.shape for result in results]  # pyright: ignore
    leaves = [function for function, _ in total.grad_fn.next_functions if function is not None]
    assert [leaf.variable is result for leaf, result in zip(leaves, results, strict=True)] == [True] * 3  # pyright: ignore


def test_backward_can_run_twice(results: list[Tensor], targets: LossTargets) -> None:
    """Gradients are precomputed, so no graph is freed by backward."""
    total = Loss(settings())(results, targets).total
    first, second = (torch.autograd.grad(total, results, retain_graph=True) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    (tripled,) = torch.autograd.grad(total * 3, results[:1])
    torch.testing.assert_close(tripled, 3 * first[0])


def test_terms_sum_to_the_total(narrow: Perceptual, results: list[Tensor], targets: LossTargets) -> None:
    value = Loss(LossSettings(image_gradient=0.5), narrow)(results, targets)
    assert set(value.terms) == {"l1", "image_gradient", "lpips", "style", "content"}
    torch.testing.assert_close(torch.stack([*value.terms.values()]).sum(), value.total.detach())
    assert all(term > 0 and not term.requires_grad for term in value.terms.values())
    for name in value.terms:
        without = Loss(LossSettings.model_validate({"image_gradient": 0.5, name: 0.0}), narrow)(results, targets).terms
        assert without == {key: term for key, term in value.terms.items() if key != name}


@pytest.mark.parametrize("term", ["l1", "lpips", "style", "content", "image_gradient"])
def test_weight_scales_its_term_only(
    term: str, narrow: Perceptual, results: list[Tensor], targets: LossTargets
) -> None:
    base = {"image_gradient": 1.0, "l1": 1.0, "lpips": 1.0, "style": 1.0, "content": 1.0}
    once, thrice = (
        Loss(LossSettings.model_validate(weights), narrow)(results, targets).terms
        for weights in (base, {**base, term: 3.0})
    )
    for name, value in thrice.items():
        torch.testing.assert_close(value, once[name] * (3 if name == term else 1), rtol=1e-12, atol=0)


def test_loss_of_the_ground_truth_is_zero(narrow: Perceptual, targets: LossTargets) -> None:
    results = perfect(targets)
    value = Loss(LossSettings(image_gradient=1.0), narrow)(results, targets)
    assert value.total.item() == 0
    assert all(torch.isfinite(gradient).all() for gradient in gradients(value.total, results))


def test_finer_scales_have_larger_weights(targets: LossTargets) -> None:
    for scale, weight in enumerate((1, 2, 3)):
        results = perfect(targets)
        results[scale] = results[scale] + 0.5
        assert Loss(settings())(results, targets).total.item() == pytest.approx(0.5 * weight)


def test_scale_weight_exponent_keeps_the_sum() -> None:
    assert scale_weights(5, 1.0) == [1, 2, 3, 4, 5]
    assert scale_weights(3, 0.0) == [2, 2, 2]
    steep = scale_weights(5, 3.0)
    assert sum(steep) == pytest.approx(15)
    assert steep[-1] / steep[0] == pytest.approx(125)


def test_masked_weight_weights_masked_pixels(targets: LossTargets) -> None:
    """With errors in masked or unmasked pixels only, the loss is their fraction of the weights."""
    masked = targets.mask.double().mean().item()
    for wrong, weight in ((targets.mask, 5 * masked), (~targets.mask, 1 - masked)):
        result = [(targets.person + 0.5 * wrong).requires_grad_()]
        total = Loss(settings(masked_weight=5.0))(result, targets).total
        assert total.item() == pytest.approx(0.5 * weight / (1 + 4 * masked))


def test_image_gradient_of_an_empty_garment_is_zero(results: list[Tensor], targets: LossTargets) -> None:
    no_garment = LossTargets(targets.person, targets.mask, torch.zeros_like(targets.garment))
    value = Loss(settings(l1=0.0, image_gradient=1.0))(results, no_garment)
    assert value.total.item() == 0
    assert all((gradient == 0).all() for gradient in gradients(value.total, results))


def test_loss_without_terms_is_zero(results: list[Tensor], targets: LossTargets) -> None:
    total = Loss(settings(l1=0.0))(results, targets).total
    assert total.item() == 0
    assert all((gradient == 0).all() for gradient in gradients(total, results))


def test_flow_smoothness_trains_only_the_estimators(targets: LossTargets) -> None:
    torch.manual_seed(0)
    network = DAFlow(DAFlowConfig(6, 3, 2, (4, 4, 4), 4, (4, 4, 4), (6, 6), "identity")).double().eval()
    loss = Loss(settings(l1=0.0, flow_smoothness=2.0))
    with loss.capturing_offsets(network) as offsets:
        _, scales = network(images(6, 2), images(3, 3), images(3, 4), all_scales=True)
    value = loss(scales, targets, offsets)
    assert [tuple(offset.shape[1:]) for offset in offsets[:3]] == [(4, 8, 6), (4, 8, 6), (8, 8, 6)]
    assert len(offsets) == 9
    value.total.backward()
    assert value.terms["flow_smoothness"].item() == value.total.item() > 0
    for name, parameter in network.named_parameters():
        if "MFEs" in name and name.endswith("6.weight"):
            assert parameter.grad is not None, name
            assert parameter.grad.abs().max() > 0, name
    assert network.dafnet.lights_encoder[0].weight.grad.abs().max() == 0
    with Loss(settings()).capturing_offsets(network) as offsets:
        network(images(6, 2), images(3, 3), images(3, 4))
    assert offsets == []
