"""The two 1x1 layers around the warp fold into one without changing a number."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tryon.daflow.grids import Flow, Flows
from tryon.daflow.image_codec import compose, fold_1x1, image_decoder, image_encoder
from tryon.daflow.warp import WARPS, warp

HEADS = 2


def _flows() -> Flows:
    """Random flows, some outside the frame, with one softmax over both branches."""
    attention = torch.randn(2, 2 * HEADS, 6, 5, dtype=torch.float64).softmax(1)
    grids = torch.randn(2, 2 * HEADS, 2, 6, 5, dtype=torch.float64)
    return Flows(Flow(grids[0], attention[:, :HEADS]), Flow(grids[1], attention[:, HEADS:]))


def _parameters_slopes(result: Tensor, parameters: list[Tensor]) -> tuple[Tensor, ...]:
    return torch.autograd.grad(result.square().sum(), parameters)


@pytest.mark.parametrize("backend", WARPS)
def test_folding_is_exact_in_value_and_in_every_gradient(backend):
    torch.manual_seed(3)
    encoder, decoder = image_encoder(8, 12).double(), image_decoder(8, 12).double()
    garment, person = torch.randn(2, 2, 3, 6, 5, dtype=torch.float64)
    flows = _flows()
    long_way = decoder(warp(encoder(garment), *flows.garment, backend) + warp(encoder(person), *flows.person, backend))
    short_way = compose(encoder, decoder, (garment, person), flows, backend)
    torch.testing.assert_close(short_way, long_way, rtol=0, atol=1e-12)
    parameters = [*encoder.parameters(), *decoder.parameters()]
    for found, expected in zip(
        _parameters_slopes(short_way, parameters), _parameters_slopes(long_way, parameters), strict=True
    ):
        torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)


def test_folded_layer_moves_the_narrow_channels_only():
    weight, bias = fold_1x1(image_encoder(8, 12), image_decoder(8, 12))
    assert weight.shape == (8, 8, 1, 1)
    assert bias.shape == (8,)
