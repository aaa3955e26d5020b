"""Feature pyramids: order, sides and channels of the levels."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tryon.daflow import pyramid
from tryon.daflow.pyramid import Encoder, TopDown, fold_stage

WIDTHS = (4, 6, 8)


def test_encoder_returns_stages_finest_first():
    stages = Encoder(3, WIDTHS)(torch.rand(2, 3, 16, 24))
    assert [tuple(stage.shape) for stage in stages] == [(2, 4, 8, 12), (2, 6, 4, 6), (2, 8, 2, 3)]


def test_top_down_returns_levels_coarsest_first_of_equal_width():
    stages = [torch.rand(2, width, 8 // 2**i, 12 // 2**i) for i, width in enumerate(WIDTHS)]
    levels = TopDown(WIDTHS, 5)(stages)
    assert [tuple(level.shape) for level in levels] == [(2, 5, 2, 3), (2, 5, 4, 6), (2, 5, 8, 12)]


def test_fine_levels_depend_on_coarse_ones_only():
    stages = [torch.rand(1, width, 8 // 2**i, 8 // 2**i, requires_grad=True) for i, width in enumerate(WIDTHS)]
    coarsest, *_, finest = TopDown(WIDTHS, 5)(stages)
    assert all(gradient is not None for gradient in torch.autograd.grad(finest.sum(), stages, retain_graph=True))
    assert torch.autograd.grad(coarsest.sum(), stages, allow_unused=True)[:2] == (None, None)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 4)], ids=str)
def test_folding_keeps_values_and_gradients(size):
    torch.manual_seed(5)
    adaptive, smooth = nn.Conv2d(3, 8, 1).double(), nn.Conv2d(8, 8, 3, padding=1).double()
    stage = torch.randn(2, 3, *(2 * side for side in size), dtype=torch.float64, requires_grad=True)
    coarser = torch.randn(2, 8, *size, dtype=torch.float64, requires_grad=True)
    unfolded = smooth(adaptive(stage) + F.interpolate(coarser, scale_factor=2.0, mode="nearest"))
    folded = fold_stage(stage, coarser, adaptive, smooth)
    torch.testing.assert_close(folded, unfolded, rtol=0, atol=1e-12)
    inputs = [stage, coarser, *adaptive.parameters(), *smooth.parameters()]
    expected = torch.autograd.grad(unfolded.square().sum(), inputs)
    for gradient, value in zip(torch.autograd.grad(folded.square().sum(), inputs), expected, strict=True):
        torch.testing.assert_close(gradient, value, rtol=1e-10, atol=1e-10)


def test_only_narrow_stages_are_folded(monkeypatch):
    folded: list[int] = []

    def recorded(stage, *others):
        folded.append(stage.shape[1])
        return fold_stage(stage, *others)

    monkeypatch.setattr(pyramid, "fold_stage", recorded)
    TopDown((2, 3, 2), 8)([torch.rand(1, 2, 8, 8), torch.rand(1, 3, 4, 4), torch.rand(1, 2, 2, 2)])
    assert folded == [2]  # the coarsest has no coarser level to add
