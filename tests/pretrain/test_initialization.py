"""Initialization for training from scratch."""

from __future__ import annotations

import torch

from tryon.config.training import PretrainSettings
from tryon.pretrain.initialization import new_network


def test_weights_depend_on_the_seed_only(pretrain_settings: PretrainSettings) -> None:
    before = torch.get_rng_state()
    first, same_seed, other_seed = (new_network(pretrain_settings.network, seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    key = "dafnet.lights_encoder.0.weight"
    assert torch.equal(first[key], same_seed[key])
    assert not torch.equal(first[key], other_seed[key])


def test_initial_result_is_the_average_of_garment_and_person(pretrain_settings: PretrainSettings) -> None:
    network = new_network(pretrain_settings.network, 1).eval()
    garment, person = (torch.full((1, 3, 16, 16), value) for value in (0.8, -0.4))
    with torch.no_grad():
        result = network(torch.zeros(1, 6, 16, 16), garment, person)
    assert (result - 0.2).abs().max() < 0.15
