"""Flow estimators: from garment and person features to k flows and their attention.

Source: arXiv 2207.09161, section 3, the multi-flow estimators of the cross, self and refinement branches.

Shape legend:
    B batch, k heads, C pyramid channels, h x w sides
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

from tryon.daflow.convolution import conv_same

LEAK = 0.1
"""Slope of every LeakyReLU in the network."""


class FlowEstimator(nn.Module):
    """A short stack of convolutions, LeakyReLU between them; the first is 3x3, the others K x K.

    Args:
        inputs: channels of garment and person features together, 2C.
        channels: widths inside (128, 64, 32).
        outputs: 3k for one branch, 6k for both.
        kernel: K, 7 for the self branch, 3 for the others.
    """

    def __init__(self, inputs: int, channels: Sequence[int], outputs: int, kernel: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(inputs, channels[0], 3, padding=1)]
        for narrow, wide in zip(channels, (*channels[1:], outputs), strict=True):
            layers += [
                nn.LeakyReLU(LEAK, inplace=True),
                nn.Conv2d(narrow, wide, kernel, padding=kernel // 2),
            ]
        self.layers = nn.Sequential(*layers)

    def forward(self, garment: Tensor, person: Tensor) -> Tensor:
        """(B, C, h, w) garment, then person features -> (B, outputs, h, w): pixel offsets and attention logits.

        The first layer reads the two apart and adds: what it would read is never laid side by side, nor kept so.
        """
        first = cast(nn.Conv2d, self.layers[0])
        for_garment, for_person = first.weight.split(garment.shape[1], dim=1)
        seen = conv_same(garment, for_garment, first.bias).add_(conv_same(person, for_person, None))
        return self.layers[1:](seen)


def split_single(output: Tensor, heads: int) -> tuple[Tensor, Tensor]:
    """Split a cross or self estimator's output.

    Args:
        output: (B, 3k, h, w): for each head x then y offset, then the k logits.
        heads: k.

    Returns:
        Offsets (B·k, 2, h, w) in pixels, and attention (B, k, h, w) that sums to one over the heads.
    """
    offsets, logits = output.split((2 * heads, heads), dim=1)
    return _per_head(offsets), logits.softmax(dim=1)


def split_joint(output: Tensor, heads: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Split the refinement's output: garment and person compete for every pixel in ONE softmax over 2k heads.

    Args:
        output: (B, 6k, h, w): garment offsets (2k), person offsets (2k), then 2k logits, the PERSON's first.
        heads: k.

    Returns:
        Garment offsets and person offsets, both (B·k, 2, h, w), garment attention and person attention,
        both (B, k, h, w).
    """
    garment_offsets, person_offsets, logits = output.split(2 * heads, dim=1)
    person_attention, garment_attention = logits.softmax(dim=1).split(heads, dim=1)
    return _per_head(garment_offsets), _per_head(person_offsets), garment_attention, person_attention


def _per_head(offsets: Tensor) -> Tensor:
    """(B, 2k, h, w) -> (B·k, 2, h, w), head-major per sample."""
    batch, channels, height, width = offsets.shape
    return offsets.reshape(batch * channels // 2, 2, height, width)
