"""The loss is the published sum, and its gradients those of that sum, although no two scales are ever held at once."""

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


def settings(**given: Any) -> LossSettings:
    return LossSettings.model_validate({"perceptual": "none", **given})


def images(channels: int, seed: int, size: tuple[int, int] = SIZE) -> Tensor:
    return torch.rand(2, channels, *size, generator=torch.Generator().manual_seed(seed), dtype=FLOAT) * 2 - 1


@pytest.fixture
def truth() -> LossTargets:
    hidden = torch.zeros(2, 1, *SIZE, dtype=torch.bool)
    hidden[..., 16:48, 12:36] = True
    garment = hidden.clone()
    garment[0, :, :, :20] = False
    return LossTargets(images(3, 1), hidden, garment)


@pytest.fixture
def results() -> list[Tensor]:
    sizes = [(SIZE[0] // 2**n, SIZE[1] // 2**n) for n in (2, 1, 0)]
    return [images(3, 10 + n, size).requires_grad_() for n, size in enumerate(sizes)]


def perfect(truth: LossTargets) -> list[Tensor]:
    return [resize(truth.person, (SIZE[0] // 2**n, SIZE[1] // 2**n)).requires_grad_() for n in (2, 1, 0)]


def gradients(total: Tensor, tensors: list[Tensor]) -> list[Tensor]:
    return list(torch.autograd.grad(total, tensors))


def test_it_is_the_published_sum_with_the_gradients_of_that_sum(
    narrow: Perceptual, plain: SimpleNamespace, results: list[Tensor], truth: LossTargets
) -> None:
    published = LossSettings()
    found = Loss(published, narrow)(results, truth)
    expected = plain.loss(published, narrow, results, truth)
    torch.testing.assert_close(found.total, expected, rtol=1e-12, atol=0)
    for ours, theirs in zip(gradients(found.total, results), gradients(expected, results), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-15)


def test_the_gradients_reach_the_network_as_those_of_the_plain_sum_do(
    narrow: Perceptual, plain: SimpleNamespace, truth: LossTargets
) -> None:
    """The results share the network's graph, which is gone through once."""
    torch.manual_seed(0)
    network = DAFlow.from_config(DAFlowConfig(6, 3, 2, (4, 4, 4), 4, (4, 4, 4), (6, 6), "identity"))
    init_small_flows(network)
    network.double().eval()
    inputs = (images(6, 2), images(3, 3), images(3, 4))
    found = []
    for way in (Loss(LossSettings(), narrow), None):
        network.zero_grad()
        _, scales = network(*inputs, all_scales=True)
        total = way(scales, truth).total if way else plain.loss(LossSettings(), narrow, scales, truth)
        (total / 4).backward()
        found.append({name: parameter.grad.clone() for name, parameter in network.named_parameters()})
    assert any(gradient.abs().max() > 0 for gradient in found[0].values())
    for name, gradient in found[0].items():
        torch.testing.assert_close(gradient, found[1][name], rtol=1e-8, atol=1e-13, msg=name)


def test_no_graph_of_the_frozen_networks_is_left(narrow: Perceptual, results: list[Tensor], truth: LossTargets) -> None:
    total = Loss(LossSettings(), narrow)(results, truth).total
    assert total.grad_fn is not None
    assert [saved.shape for saved in total.grad_fn.saved_tensors] == [result.shape for result in results]  # pyright: ignore
    leaves = [function for function, _ in total.grad_fn.next_functions if function is not None]
    assert [leaf.variable is result for leaf, result in zip(leaves, results, strict=True)] == [True] * 3  # pyright: ignore


def test_the_results_are_not_held_beyond_their_gradients(results: list[Tensor], truth: LossTargets) -> None:
    """Going back twice gives the gradients twice: they are known, there is no graph to free."""
    total = Loss(settings())(results, truth).total
    first, second = (torch.autograd.grad(total, results, retain_graph=True) for _ in range(2))
    assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))
    (tripled,) = torch.autograd.grad(total * 3, results[:1])
    torch.testing.assert_close(tripled, 3 * first[0])


def test_the_terms_sum_to_the_total_and_a_term_without_weight_is_not_there(
    narrow: Perceptual, results: list[Tensor], truth: LossTargets
) -> None:
    found = Loss(LossSettings(image_gradient=0.5), narrow)(results, truth)
    assert set(found.terms) == {"l1", "image_gradient", "lpips", "style", "content"}
    torch.testing.assert_close(torch.stack([*found.terms.values()]).sum(), found.total.detach())
    assert all(value > 0 and not value.requires_grad for value in found.terms.values())
    for name in found.terms:
        without = Loss(LossSettings.model_validate({"image_gradient": 0.5, name: 0.0}), narrow)(results, truth).terms
        assert without == {other: value for other, value in found.terms.items() if other != name}


@pytest.mark.parametrize("term", ["l1", "lpips", "style", "content", "image_gradient"])
def test_a_weight_multiplies_its_term_alone(
    term: str, narrow: Perceptual, results: list[Tensor], truth: LossTargets
) -> None:
    base = {"image_gradient": 1.0, "l1": 1.0, "lpips": 1.0, "style": 1.0, "content": 1.0}
    once, thrice = (
        Loss(LossSettings.model_validate(given), narrow)(results, truth).terms for given in (base, {**base, term: 3.0})
    )
    for name, value in thrice.items():
        torch.testing.assert_close(value, once[name] * (3 if name == term else 1), rtol=1e-12, atol=0)


def test_perfect_results_cost_nothing(narrow: Perceptual, truth: LossTargets) -> None:
    results = perfect(truth)
    found = Loss(LossSettings(image_gradient=1.0), narrow)(results, truth)
    assert found.total.item() == 0
    assert all(torch.isfinite(gradient).all() for gradient in gradients(found.total, results))


def test_finer_scales_weigh_more(truth: LossTargets) -> None:
    for scale, weight in enumerate((1, 2, 3)):
        results = perfect(truth)
        results[scale] = results[scale] + 0.5
        assert Loss(settings())(results, truth).total.item() == pytest.approx(0.5 * weight)


def test_the_power_of_the_scales_moves_weight_and_adds_none() -> None:
    assert scale_weights(5, 1.0) == [1, 2, 3, 4, 5]
    assert scale_weights(3, 0.0) == [2, 2, 2]
    steep = scale_weights(5, 3.0)
    assert sum(steep) == pytest.approx(15)
    assert steep[-1] / steep[0] == pytest.approx(125)


def test_a_hidden_pixel_counts_as_often_as_its_weight_says(truth: LossTargets) -> None:
    """Right everywhere but in one kind of pixel: the loss is that kind's share of the weights."""
    hidden = truth.mask.double().mean().item()
    for wrong, share in ((truth.mask, 5 * hidden), (~truth.mask, 1 - hidden)):
        result = [(truth.person + 0.5 * wrong).requires_grad_()]
        total = Loss(settings(masked_weight=5.0))(result, truth).total
        assert total.item() == pytest.approx(0.5 * share / (1 + 4 * hidden))


def test_a_region_nobody_wears_has_no_edges(results: list[Tensor], truth: LossTargets) -> None:
    naked = LossTargets(truth.person, truth.mask, torch.zeros_like(truth.garment))
    found = Loss(settings(l1=0.0, image_gradient=1.0))(results, naked)
    assert found.total.item() == 0
    assert all((gradient == 0).all() for gradient in gradients(found.total, results))


def test_nothing_to_minimize_is_zero(results: list[Tensor], truth: LossTargets) -> None:
    total = Loss(settings(l1=0.0))(results, truth).total
    assert total.item() == 0
    assert all((gradient == 0).all() for gradient in gradients(total, results))


def test_the_bend_of_the_flows_reaches_the_estimators_alone(truth: LossTargets) -> None:
    torch.manual_seed(0)
    network = DAFlow.from_config(DAFlowConfig(6, 3, 2, (4, 4, 4), 4, (4, 4, 4), (6, 6), "identity")).double().eval()
    loss = Loss(settings(l1=0.0, flow_smoothness=2.0))
    with loss.capturing_offsets(network) as offsets:
        _, scales = network(images(6, 2), images(3, 3), images(3, 4), all_scales=True)
    found = loss(scales, truth, offsets)
    assert [tuple(offset.shape[1:]) for offset in offsets[:3]] == [(4, 8, 6), (4, 8, 6), (8, 8, 6)]
    assert len(offsets) == 9
    found.total.backward()
    assert found.terms["flow_smoothness"].item() == found.total.item() > 0
    for name, parameter in network.named_parameters():
        if "MFEs" in name and name.endswith("6.weight"):
            assert parameter.grad is not None, name
            assert parameter.grad.abs().max() > 0, name
    assert network.dafnet.lights_encoder[0].weight.grad.abs().max() == 0
    with Loss(settings()).capturing_offsets(network) as offsets:
        network(images(6, 2), images(3, 3), images(3, 4))
    assert offsets == []
