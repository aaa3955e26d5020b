"""Image encoder and decoder around the final warp.

Source: arXiv 2207.09161, section 3, synthesis: both images are lightly encoded, warped, added and decoded.

Folding. Between the encoder's 3x3 and the decoder's 3x3 layers are a 1x1 layer, the sum of the warped garment and
person, and another 1x1 layer. The warp is linear, its bilinear weights sum to one at every sample and its attention
sums to one over both branches, so it preserves constants, and the two 1x1 layers can be folded exactly:

    Wd · (warp(We·g + be) + warp(We·p + be)) + bd  =  (Wd·We) · (warp(g) + warp(p)) + (Wd·be + bd)

The warp then moves 32 channels instead of 64. The parameters keep the published checkpoint's layout.

Shape legend:
    B batch, k flows, H x W sides of the images
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tryon.daflow.config import IMAGE_CHANNELS
from tryon.daflow.flow_estimator import LEAK
from tryon.daflow.grids import Flows
from tryon.daflow.warp import warp


def image_encoder(narrow: int, wide: int) -> nn.Sequential:
    """Build the encoder: 3x3 to `narrow` channels, LeakyReLU, 1x1 to `wide`."""
    return nn.Sequential(
        nn.Conv2d(IMAGE_CHANNELS, narrow, 3, padding=1), nn.LeakyReLU(LEAK, inplace=True), nn.Conv2d(narrow, wide, 1)
    )


def image_decoder(narrow: int, wide: int) -> nn.Sequential:
    """Build the decoder: 1x1 to `narrow` channels, LeakyReLU, 3x3 to the image."""
    return nn.Sequential(
        nn.Conv2d(wide, narrow, 1), nn.LeakyReLU(LEAK, inplace=True), nn.Conv2d(narrow, IMAGE_CHANNELS, 3, padding=1)
    )


def fold_1x1(encoder: nn.Sequential, decoder: nn.Sequential) -> tuple[Tensor, Tensor]:
    """Fold the two 1x1 layers around the warp: weight (narrow, narrow, 1, 1) and bias (narrow,)."""
    encode, decode = cast(nn.Conv2d, encoder[-1]), cast(nn.Conv2d, decoder[0])
    weight = decode.weight.flatten(1)
    bias = weight @ cast(Tensor, encode.bias) + cast(Tensor, decode.bias)
    return (weight @ encode.weight.flatten(1))[:, :, None, None], bias


def compose(
    encoder: nn.Sequential, decoder: nn.Sequential, images: Sequence[Tensor], flows: Flows, backend: str
) -> Tensor:
    """Encode garment and agnostic person, (B, 3, H, W) in [-1, 1], warp both, add and decode.

    Args:
        encoder: from `image_encoder`.
        decoder: from `image_decoder`.
        images: garment and agnostic person.
        flows: at H x W; the attention of both branches together sums to one.
        backend: of the warp.

    Returns:
        (B, 3, H, W), about [-1, 1], not clamped.
    """
    garment, person = encoder[:-1](torch.cat(tuple(images))).chunk(2)
    warped = warp(garment, *flows.garment, backend) + warp(person, *flows.person, backend)
    return decoder[1:](F.conv2d(warped, *fold_1x1(encoder, decoder)))
