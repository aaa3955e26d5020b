"""The light encoder and decoder: what is warped to make a image is a shallow feature map, not the image itself.

Source: arXiv 2207.09161, section 3, synthesis: both images are lightly encoded, warped, added and decoded.

Folding. Between the encoder's 3x3 and the decoder's 3x3 lie a 1x1 layer, the warp of garment and person with their
sum, and another 1x1 layer. The warp is linear, its bilinear weights sum to one at every sample and its attention
sums to one over both branches, so it passes constants through unchanged, and the two 1x1 layers become one without
touching a number:

    Wd · (warp(We·g + be) + warp(We·p + be)) + bd  =  (Wd·We) · (warp(g) + warp(p)) + (Wd·be + bd)

The warp then moves 32 channels in place of 64. The parameters stay where the published checkpoint has them.

Shape legend:
    B batch, k heads, H x W sides of the images, L light channels (32, 64)
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
    """3x3 to `narrow` channels, LeakyReLU, 1x1 to `wide`."""
    return nn.Sequential(
        nn.Conv2d(IMAGE_CHANNELS, narrow, 3, padding=1), nn.LeakyReLU(LEAK, inplace=True), nn.Conv2d(narrow, wide, 1)
    )


def image_decoder(narrow: int, wide: int) -> nn.Sequential:
    """1x1 back to `narrow` channels, LeakyReLU, 3x3 to the image."""
    return nn.Sequential(
        nn.Conv2d(wide, narrow, 1), nn.LeakyReLU(LEAK, inplace=True), nn.Conv2d(narrow, IMAGE_CHANNELS, 3, padding=1)
    )


def fold_1x1(encoder: nn.Sequential, decoder: nn.Sequential) -> tuple[Tensor, Tensor]:
    """Fold the two 1x1 layers around the warp: weight (narrow, narrow, 1, 1) and bias (narrow,)."""
    inner, outer = cast(nn.Conv2d, encoder[-1]), cast(nn.Conv2d, decoder[0])
    back = outer.weight.flatten(1)
    bias = back @ cast(Tensor, inner.bias) + cast(Tensor, outer.bias)
    return (back @ inner.weight.flatten(1))[:, :, None, None], bias


def compose(
    encoder: nn.Sequential, decoder: nn.Sequential, images: Sequence[Tensor], flows: Flows, backend: str
) -> Tensor:
    """Encode garment and person, warp both, add, decode.

    Args:
        encoder: the light encoder.
        decoder: the light decoder.
        images: garment and agnostic person, (B, 3, H, W) in [-1, 1].
        flows: grids and attention at H x W; the attention of both branches together sums to one.
        backend: of the warp.

    Returns:
        (B, 3, H, W), about [-1, 1], not clamped.
    """
    garment, person = encoder[:-1](torch.cat(tuple(images))).chunk(2)
    warped = warp(garment, *flows.garment, backend) + warp(person, *flows.person, backend)
    return decoder[1:](F.conv2d(warped, *fold_1x1(encoder, decoder)))
