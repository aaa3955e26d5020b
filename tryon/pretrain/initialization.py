"""Initialization for training from scratch: flows near zero, image encoder and decoder as the identity."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from tryon.config.training import NetworkSettings
from tryon.daflow import DAFlow, DAFlowConfig, init_small_flows

RANDOM_WEIGHT_SCALE = 0.1
"""Scale of the default weights of the image encoder and decoder, added to the identity."""


def new_network(settings: NetworkSettings, seed: int) -> DAFlow:
    """Build a network with weights that depend only on `seed`, not on the global random state.

    Its initial result is the average of the unwarped garment and agnostic person. With the default initialization the
    first steps only learn an average color and drive the flows out of the image, where they get no gradient.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = init_small_flows(DAFlow(DAFlowConfig.from_dict(settings.model_dump())))
    return init_identity(network)


def init_identity(network: DAFlow) -> DAFlow:
    """Initialize image encoder and decoder as the identity of the image, in place.

    Each color c passes as the pair c, -c: two LeakyReLUs of slope a map a positive c to c and -a²c, so their
    difference divided by 1 + a² is c again. Other weights are scaled by `RANDOM_WEIGHT_SCALE`, biases are zero.

    Args:
        network: freshly built, with at least six channels in each layer of the encoder.

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
