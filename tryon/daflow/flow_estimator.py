"""Flow estimators: garment and person features to k flows and their attention.

Source: arXiv 2207.09161, section 3, the multi-flow estimators of the cross, self and refinement branches.

Shape legend:
    B batch, k flows, C pyramid channels, h x w sides
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

from tryon.daflow.convolution import conv_same

LEAK = 0.1
"""Slope of every LeakyReLU in the network."""


class FlowEstimator(nn.Module):
    """Convolutions with LeakyReLU between them; the first is 3x3, the others K x K.

    Args:
        inputs: channels of garment and person features together, 2C.
        channels: hidden channels (128, 64, 32).
        outputs: 3k for one branch, 6k for both.
        kernel: K, 7 for the self branch, 3 for the others.
    """

    def __init__(self, inputs: int, channels: Sequence[int], outputs: int, kernel: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(inputs, channels[0], 3, padding=1)]
        for narrow, wide in zip(channels, (*channels[1:], outputs), strict=True):
            layers += [nn.LeakyReLU(LEAK, inplace=True), nn.Conv2d(narrow, wide, kernel, padding=kernel // 2)]
        self.layers = nn.Sequential(*layers)

    def forward(self, garment: Tensor, person: Tensor) -> Tensor:
        """Map (B, C, h, w) garment and person features to pixel offsets and attention logits, (B, outputs, h, w).

        The first layer is applied to each separately and summed, which saves concatenating them.
        """
        first = cast(nn.Conv2d, self.layers[0])
        garment_weight, person_weight = first.weight.split(garment.shape[1], dim=1)
        hidden = conv_same(garment, garment_weight, first.bias).add_(conv_same(person, person_weight, None))
        return self.layers[1:](hidden)


def split_single(output: Tensor, num_flows: int) -> tuple[Tensor, Tensor]:
    """Split a cross or self estimator's output.

    Args:
        output: (B, 3k, h, w): x then y offset of each flow, then k logits.
        num_flows: k.

    Returns:
        Offsets (B·k, 2, h, w) in pixels, and attention (B, k, h, w) that sums to one over the flows.
    """
    offsets, logits = output.split((2 * num_flows, num_flows), dim=1)
    return _per_flow(offsets), logits.softmax(dim=1)


def split_joint(output: Tensor, num_flows: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Split the refinement's output, with ONE softmax over the 2k flows of garment and person.

    Args:
        output: (B, 6k, h, w): garment offsets (2k), person offsets (2k), then 2k logits, the PERSON's first.
        num_flows: k.

    Returns:
        Garment offsets, person offsets, (B·k, 2, h, w); garment attention, person attention, (B, k, h, w).
    """
    garment_offsets, person_offsets, logits = output.split(2 * num_flows, dim=1)
    person_attention, garment_attention = logits.softmax(dim=1).split(num_flows, dim=1)
    return _per_flow(garment_offsets), _per_flow(person_offsets), garment_attention, person_attention


def _per_flow(offsets: Tensor) -> Tensor:
    """Reshape (B, 2k, h, w) to (B·k, 2, h, w), flow-major per sample."""
    batch, channels, height, width = offsets.shape
    return offsets.reshape(batch * channels // 2, 2, height, width)
