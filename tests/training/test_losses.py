"""The loss over scales."""

from __future__ import annotations

import pytest
import torch

from tryon.training.losses import multiscale_l1, resize


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
