"""Feature pyramids: an encoder of pre-activation residual blocks and a top-down path (FPN).

Source: arXiv 2207.09161, section 3, the encoders and FPNs of garment and person.

Shape legend:
    B batch, h x w sides of a level, C pyramid channels (256)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tryon.daflow.convolution import conv_same, conv_transpose_2x


def _normalized_convolution(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
    """Build norm, in-place ReLU (the norm's backward needs only its input) and 3x3 convolution without bias."""
    return [
        nn.BatchNorm2d(inputs),
        nn.ReLU(inplace=True),
        nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
    ]


class Downsample(nn.Module):
    """Halve the sides: (B, inputs, 2h, 2w) -> (B, outputs, h, w). The norm is over the stage's input channels."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.block = nn.Sequential(*_normalized_convolution(inputs, outputs, stride=2))

    def forward(self, features: Tensor) -> Tensor:
        """Apply norm, ReLU and the strided convolution."""
        return self.block(features)


class Residual(nn.Module):
    """Two pre-activation convolutions with a skip connection: (B, width, h, w) -> the same shape."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.block = nn.Sequential(*_normalized_convolution(width, width), *_normalized_convolution(width, width))

    def forward(self, features: Tensor) -> Tensor:
        """Apply the residual block."""
        return features + self.block(features)


class Encoder(nn.Module):
    """Stages that each halve the sides: one downsampling, two residual blocks.

    Args:
        channels: of the input image.
        widths: channels of the stages, finest first.
    """

    def __init__(self, channels: int, widths: Sequence[int]) -> None:
        super().__init__()
        inputs = (channels, *widths[:-1])
        self.encoders = nn.ModuleList(
            nn.Sequential(Downsample(narrow, wide), Residual(wide), Residual(wide))
            for narrow, wide in zip(inputs, widths, strict=True)
        )

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return the output of every stage, finest first: (B, widths[i], H / 2^(i+1), W / 2^(i+1))."""
        features, stages = image, []
        for stage in self.encoders:
            features = stage(features)
            stages.append(features)
        return stages


class TopDown(nn.Module):
    """Feature pyramid network: every level has C channels and receives all coarser levels.

    Args:
        widths: channels of the encoder's stages, finest first.
        channels: C.
    """

    def __init__(self, widths: Sequence[int], channels: int) -> None:
        super().__init__()
        # Published order: 0 is the coarsest.
        self.adaptive = nn.ModuleList(nn.Conv2d(width, channels, 1) for width in reversed(widths))
        self.smooth = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in widths)

    def forward(self, stages: Sequence[Tensor]) -> list[Tensor]:
        """Map stages, finest first, to levels (B, C, h, w), COARSEST first.

        The smoothed level is passed down, not the raw sum.
        """
        levels: list[Tensor] = []
        for stage, *layers in zip(reversed(stages), self.adaptive, self.smooth, strict=True):
            adaptive, smooth = cast(list[nn.Conv2d], layers)
            if not levels:
                levels.append(smooth(adaptive(stage)))
            elif 4 * adaptive.in_channels <= smooth.in_channels:  # faster only where the stage is narrow
                levels.append(fold_stage(stage, levels[-1], adaptive, smooth))
            else:
                doubled = F.interpolate(levels[-1], scale_factor=2.0, mode="nearest")
                levels.append(conv_same(adaptive(stage) + doubled, smooth.weight, smooth.bias))
        return levels


def fold_stage(stage: Tensor, coarser: Tensor, adaptive: nn.Conv2d, smooth: nn.Conv2d) -> Tensor:
    """Compute smooth(adaptive(stage) + upsample(coarser)), up to rounding, with fewer multiplications.

    The 1x1 and 3x3 layers fold into one 3x3 layer on the narrow stage. A 3x3 layer on a nearest-upsampled map adds the
    same pixel several times; with its weights summed beforehand it is a 4x4 transposed layer with stride 2 on the
    small map: 16 products per pixel instead of 36. The 1x1 layer's bias is added to the small map, so that it is
    zero-padded at the border like the original. Per pixel and output channel w + 9 C products become 9 w + 4 C, and
    the sum of both maps, C wide, is not stored for backward.

    Args:
        stage: (B, w, 2h, 2w) of the encoder.
        coarser: (B, C, h, w), the previous level.
        adaptive: 1x1, from w to C channels.
        smooth: 3x3, from C to C channels.

    Returns:
        (B, C, 2h, 2w).
    """
    taps = smooth.weight.flatten(2)
    once = torch.eye(3, 4, dtype=taps.dtype, device=taps.device).flip(0)
    twice = once + once.roll(1, dims=1)  # along one side, tap i contributes to taps 2 - i and 3 - i
    doubling = (taps @ torch.kron(twice, twice)).unflatten(2, (4, 4)).transpose(0, 1)
    narrow = (adaptive.weight.flatten(1).t() @ taps).unflatten(2, (3, 3))
    bias = cast(Tensor, adaptive.bias)[:, None, None]
    level = conv_transpose_2x(coarser + bias, doubling, smooth.bias)
    return level.add_(conv_same(stage, narrow, None))
