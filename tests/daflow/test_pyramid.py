"""The pyramids: order, sides and widths of their levels."""

from __future__ import annotations

import torch

from tryon.daflow.pyramid import Encoder, TopDown

WIDTHS = (4, 6, 8)


def test_encoder_gives_stages_finest_first():
    stages = Encoder(3, WIDTHS)(torch.rand(2, 3, 16, 24))
    assert [tuple(stage.shape) for stage in stages] == [(2, 4, 8, 12), (2, 6, 4, 6), (2, 8, 2, 3)]


def test_top_down_gives_levels_coarsest_first_all_one_width():
    stages = [torch.rand(2, width, 8 // 2**i, 12 // 2**i) for i, width in enumerate(WIDTHS)]
    levels = TopDown(WIDTHS, 5)(stages)
    assert [tuple(level.shape) for level in levels] == [(2, 5, 2, 3), (2, 5, 4, 6), (2, 5, 8, 12)]


def test_fine_levels_know_the_coarse_ones_but_not_the_other_way_round():
    stages = [torch.rand(1, width, 8 // 2**i, 8 // 2**i, requires_grad=True) for i, width in enumerate(WIDTHS)]
    coarsest, *_, finest = TopDown(WIDTHS, 5)(stages)
    assert all(slope is not None for slope in torch.autograd.grad(finest.sum(), stages, retain_graph=True))
    assert torch.autograd.grad(coarsest.sum(), stages, allow_unused=True)[:2] == (None, None)
