"""The two 1x1 layers around the warp fold into one exactly."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tryon.daflow.grids import Flow, Flows
from tryon.daflow.image_codec import compose, fold_1x1, image_decoder, image_encoder
from tryon.daflow.warp import WARPS, warp

NUM_FLOWS = 2


def _flows() -> Flows:
    """Random flows, some outside the frame, with one softmax over both branches."""
    attention = torch.randn(2, 2 * NUM_FLOWS, 6, 5, dtype=torch.float64).softmax(1)
    grids = torch.randn(2, 2 * NUM_FLOWS, 2, 6, 5, dtype=torch.float64)
    return Flows(Flow(grids[0], attention[:, :NUM_FLOWS]), Flow(grids[1], attention[:, NUM_FLOWS:]))


def _parameter_gradients(result: Tensor, parameters: list[Tensor]) -> tuple[Tensor, ...]:
    return torch.autograd.grad(result.square().sum(), parameters)


@pytest.mark.parametrize("backend", WARPS)
def test_folding_keeps_values_and_gradients(backend):
    torch.manual_seed(3)
    encoder, decoder = image_encoder(8, 12).double(), image_decoder(8, 12).double()
    garment, person = torch.randn(2, 2, 3, 6, 5, dtype=torch.float64)
    flows = _flows()
    unfolded = decoder(warp(encoder(garment), *flows.garment, backend) + warp(encoder(person), *flows.person, backend))
    folded = compose(encoder, decoder, (garment, person), flows, backend)
    torch.testing.assert_close(folded, unfolded, rtol=0, atol=1e-12)
    parameters = [*encoder.parameters(), *decoder.parameters()]
    for gradient, expected in zip(
        _parameter_gradients(folded, parameters), _parameter_gradients(unfolded, parameters), strict=True
    ):
        torch.testing.assert_close(gradient, expected, rtol=1e-10, atol=1e-10)


def test_folded_layer_has_only_the_narrow_channels():
    weight, bias = fold_1x1(image_encoder(8, 12), image_decoder(8, 12))
    assert weight.shape == (8, 8, 1, 1)
    assert bias.shape == (8,)
