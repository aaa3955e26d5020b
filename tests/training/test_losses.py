"""The loss over scales."""

from __future__ import annotations

import pytest
import torch

from tryon.training.losses import hidden_weights, multiscale_l1, resize


def pyramid_of(target: torch.Tensor) -> list[torch.Tensor]:
    return [resize(target, (4, 4)), resize(target, (8, 8)), target]


def test_identical_results_cost_nothing() -> None:
    target = torch.rand(2, 3, 16, 16)
    assert multiscale_l1(pyramid_of(target), target).item() == 0


def test_finer_scales_weigh_more() -> None:
    target = torch.rand(2, 3, 16, 16)
    for scale, weight in enumerate((1, 2, 3)):
        results = pyramid_of(target)
        results[scale] = results[scale] + 0.5
        assert multiscale_l1(results, target).item() == pytest.approx(0.5 * weight, rel=1e-5)


def test_the_target_is_halved_by_averaging_neighbours() -> None:
    target = torch.arange(16.0).view(1, 1, 4, 4)
    assert resize(target, (2, 2)).flatten().tolist() == [2.5, 4.5, 10.5, 12.5]


def test_gradients_are_right() -> None:
    target = torch.rand(1, 2, 4, 4, dtype=torch.float64)
    results = [torch.rand(1, 2, side, side, dtype=torch.float64, requires_grad=True) for side in (2, 4)]
    assert torch.autograd.gradcheck(lambda *given: multiscale_l1(given, target), results)


def test_a_hidden_pixel_counts_as_often_as_its_weight_says() -> None:
    """Right everywhere but in one kind of pixel: the loss is that kind's share of the weights."""
    mask = torch.zeros(1, 1, 8, 8, dtype=torch.bool)
    mask[..., :2] = True  # 16 of 64 pixels
    target = torch.rand(1, 3, 8, 8)
    for wrong, share in ((mask, 5 * 16 / (5 * 16 + 48)), (~mask, 48 / (5 * 16 + 48))):
        loss = multiscale_l1([target + 0.5 * wrong], target, hidden_weights(mask, 5.0))
        assert loss.item() == pytest.approx(0.5 * share, rel=1e-5)


def test_a_weight_of_one_is_the_plain_loss() -> None:
    mask, target = torch.rand(2, 1, 8, 8) > 0.5, torch.rand(2, 3, 8, 8)
    results = [torch.rand(2, 3, 4, 4), torch.rand(2, 3, 8, 8)]
    assert hidden_weights(mask, 1.0) is None
    even = torch.full((2, 1, 8, 8), 3.0)
    assert multiscale_l1(results, target, even).item() == pytest.approx(multiscale_l1(results, target).item())
