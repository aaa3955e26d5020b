"""The network that training from scratch begins with: flows near zero, images passed through as they are."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from tryon.config.training import NetworkSettings
from tryon.daflow import DAFlow, DAFlowConfig, init_small_flows

RANDOM_WEIGHT_SCALE = 0.1
"""Share that the default weights of the light layers keep beside the pass-through."""


def new_network(settings: NetworkSettings, seed: int) -> DAFlow:
    """A network with weights drawn from `seed` alone, whatever the global random state is.

    Its first result is the even blend of garment and agnostic person as they lie. With default light layers the
    first steps would only learn an average color, and drive the flows out of the image, from where nothing brings
    them back.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = init_small_flows(DAFlow.from_config(DAFlowConfig.from_dict(settings.model_dump())))
    return init_identity(network)


def init_identity(network: DAFlow) -> DAFlow:
    """Let the light layers begin as encoder and decoder of the image itself, in place.

    Each color c goes through as the pair c, -c: LeakyReLU of slope a twice over makes c and -a²c of a positive c, so
    their difference, divided by 1 + a², is c again. The other weights stay, at `REST` of their size, without biases.

    Args:
        network: freshly built, with at least six narrow and six wide light channels.

    Returns:
        The same network.
    """
    encoder, decoder = network.dafnet.lights_encoder, network.dafnet.lights_decoder
    first, inner = (cast(nn.Conv2d, encoder[i]) for i in (0, 2))
    outer, last = (cast(nn.Conv2d, decoder[i]) for i in (0, 2))
    slope = cast(nn.LeakyReLU, encoder[1]).negative_slope
    with torch.no_grad():
        for layer in (first, inner, outer, last):
            layer.weight.mul_(RANDOM_WEIGHT_SCALE)
            cast(torch.Tensor, layer.bias).zero_()
        for color in range(3):
            for channel, sign in ((color, 1), (color + 3, -1)):
                first.weight[channel, color, 1, 1] += sign
                inner.weight[channel, channel] += 1
                outer.weight[channel, channel] += 1
                last.weight[color, channel, 1, 1] += sign / (1 + slope**2)
    return network
