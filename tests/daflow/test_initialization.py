"""A network from scratch starts with flows near zero, and trains."""

from __future__ import annotations

import torch

from tryon.daflow import DAFlow, DAFlowConfig, init_small_flows

SMALL = DAFlowConfig.narrow(levels=2, divisor=16)


def test_scales_only_the_last_flow_layers():
    torch.manual_seed(0)
    network = DAFlow(SMALL)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    init_small_flows(network)
    for key, value in network.state_dict().items():
        if "_MFEs." in key and key.endswith(".layers.6.weight"):
            torch.testing.assert_close(value, 0.05 * before[key])
        elif "_MFEs." in key and key.endswith(".layers.6.bias"):
            assert not value.any()
        else:
            assert torch.equal(value, before[key])


def test_zero_flow_on_the_identity_grid_does_not_warp():
    torch.manual_seed(0)
    network = init_small_flows(DAFlow(SMALL), scale=0.0).double().eval()
    reference, image = torch.rand(1, 6, 24, 20, dtype=torch.float64), torch.rand(1, 3, 24, 20, dtype=torch.float64)
    result = network(reference, image, image)
    cascade = network.dafnet
    inside = (..., slice(4, -4), slice(4, -4))  # grids are resampled at the border
    torch.testing.assert_close(result[inside], cascade.lights_decoder(cascade.lights_encoder(image))[inside])


def test_learns_to_copy_the_garment():
    torch.manual_seed(0)
    network = init_small_flows(DAFlow(SMALL))
    optimizer = torch.optim.AdamW(network.parameters(), 5e-3)
    reference, agnostic, garment = torch.rand(2, 6, 16, 16), -torch.ones(2, 3, 16, 16), torch.rand(2, 3, 16, 16)
    losses = []
    for _ in range(40):
        loss = (network(reference, garment, agnostic) - garment).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]
