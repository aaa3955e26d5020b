"""A frozen VGG that computes the gradient of perceptual terms with little memory.

Its weights never train, so backward needs no features: only the signs of activations, the positions of maxima, and the
gradients of the terms at their layers. Both images are processed layer by layer; each layer's terms are computed as
soon as both are available, and only the gradient at that layer is kept.

Source: Simonyan and Zisserman, arXiv 1409.1556, configurations D and E. Layers are named reluB_N: block B, layer N.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

WIDTHS = (64, 128, 256, 512, 512)
BLOCKS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
"""Convolutions per block; the sides are halved between blocks."""

MIN_SIDE = 16
"""Minimum side, at which the last block has one pixel."""

BAND_SIZE = 1 << 20
"""Features per band of a mean over pixels. Its gradient needs many times their memory; bands fit a CPU's cache."""


@dataclass(frozen=True)
class Term:
    """A loss term on the features of one layer.

    Args:
        function: maps features of result and target, float (B, C, h, w), to a scalar.
        weight: of the scalar.
        mean_over_pixels: whether it can be computed by bands of rows.
    """

    function: Callable[[Tensor, Tensor], Tensor]
    weight: float = 1.0
    mean_over_pixels: bool = True


Terms = Mapping[str, Mapping[str, Term]]
"""Terms by layer and name."""


@dataclass(frozen=True)
class Layer:
    """A convolution with ReLU, after pooling at the start of a block."""

    name: str
    weight: Tensor
    bias: Tensor
    pools: bool


@dataclass
class _Trace:
    """State of one layer for backward."""

    layer: Layer
    positive: Tensor
    maxima: Tensor | None
    size: torch.Size
    gradient: Tensor | None


class FrozenVgg:
    """The convolutions of a VGG, channels-last, which is up to twice as fast.

    Args:
        layers: in order; layers after the last one with a term are not run.
        shift, scale: normalize to (image - shift) / scale; float (1, 3, 1, 1) or (1, 1, 1, 1).
    """

    def __init__(self, layers: Sequence[Layer], shift: Tensor, scale: Tensor) -> None:
        self.layers, self.shift, self.scale = tuple(layers), shift, scale

    @classmethod
    def from_state(
        cls, state: Mapping[str, Tensor], name: str, shift: Sequence[float] = (0.0,), scale: Sequence[float] = (1.0,)
    ) -> FrozenVgg:
        """Build `vgg16` or `vgg19` from torchvision's state dict; raise KeyError for a missing tensor."""
        layers, index = [], 0
        for block, count in enumerate(BLOCKS[name], 1):
            for number in range(1, count + 1):
                weight, bias = (state[f"features.{index}.{part}"].detach() for part in ("weight", "bias"))
                layers.append(Layer(f"relu{block}_{number}", weight, bias, pools=number == 1 and block > 1))
                index += 2  # convolution and ReLU
            index += 1  # pooling
        return cls(layers, *(torch.tensor(values).view(1, -1, 1, 1) for values in (shift, scale)))

    def to(self, device: torch.device | str, dtype: torch.dtype) -> FrozenVgg:
        """Convert device and dtype; images and results keep theirs."""
        layers = [
            Layer(
                layer.name,
                layer.weight.to(device, dtype, memory_format=torch.channels_last),
                layer.bias.to(device, dtype),
                layer.pools,
            )
            for layer in self.layers
        ]
        return FrozenVgg(layers, self.shift.to(device), self.scale.to(device))

    @torch.no_grad()
    def value_and_gradient(self, image: Tensor, target: Tensor, terms: Terms) -> tuple[dict[str, Tensor], Tensor]:
        """Compute each term, summed over its layers, and the gradient of their sum with respect to the image.

        Args:
            image, target: float (B, 3, h, w), sides of at least `MIN_SIDE`.
            terms: at least one.

        Returns:
            float scalars by term, and float (B, 3, h, w).
        """
        values: dict[str, Tensor] = {}
        traces: list[_Trace] = []
        loss_scale = self._loss_scale(image)
        features, reference = self._normalize_input(image), self._normalize_input(target)
        for layer in self._up_to_last(terms):
            size, maxima = features.shape[-2:], None
            if layer.pools:
                features, maxima = F.max_pool2d(features, 2, return_indices=True)
                maxima, reference = maxima.int(), F.max_pool2d(reference, 2)
            features = _convolve(layer, features)
            reference = _convolve(layer, reference)
            gradient = None
            if layer.name in terms:
                gradient = _add_term(terms[layer.name], features, reference, values).mul_(loss_scale).to(features.dtype)
            traces.append(_Trace(layer, features > 0, maxima, size, gradient))
        return values, _backward(traces).to(image.dtype) / (self.scale * loss_scale)

    def _normalize_input(self, image: Tensor) -> Tensor:
        normalized = (image - self.shift) / self.scale
        return normalized.to(self.layers[0].weight.dtype, memory_format=torch.channels_last)

    def _loss_scale(self, image: Tensor) -> float:
        """Return the factor that keeps gradients of means in float16's range, a power of two to avoid rounding."""
        half = self.layers[0].weight.dtype == torch.float16
        return 2.0 ** int(math.log2(image[:, 0].numel())) if half else 1.0

    def _up_to_last(self, terms: Terms) -> Sequence[Layer]:
        last = max(number for number, layer in enumerate(self.layers) if layer.name in terms)
        return self.layers[: last + 1]


def _convolve(layer: Layer, features: Tensor) -> Tensor:
    return F.conv2d(features, layer.weight, layer.bias, padding=1).relu_()


def _add_term(terms: Mapping[str, Term], features: Tensor, reference: Tensor, values: dict[str, Tensor]) -> Tensor:
    """Add the terms at one layer to `values`, and return their gradient there in at least float32."""
    wide = torch.promote_types(features.dtype, torch.float32)  # half precision is too coarse for sums over pixels
    gradient = torch.zeros_like(features, dtype=wide)
    height = features.shape[2]
    for name, term in terms.items():
        rows = max(1, BAND_SIZE * height // features.numel()) if term.mean_over_pixels else height
        for start in range(0, height, rows):
            band = slice(start, start + rows)
            leaf = features[:, :, band].to(wide).detach().requires_grad_()
            with torch.enable_grad():
                weight = term.weight * leaf.shape[2] / height
                value = weight * term.function(leaf, reference[:, :, band].to(wide))
            gradient[:, :, band] += torch.autograd.grad(value, leaf)[0]
            values[name] = values.get(name, 0) + value.detach()
    return gradient


def _backward(traces: list[_Trace]) -> Tensor:
    """Propagate the gradients back to the image, freeing each layer's trace."""
    gradient: Any = None
    while traces:
        trace = traces.pop()
        if trace.gradient is not None:
            gradient = trace.gradient if gradient is None else gradient.add_(trace.gradient)
        gradient = F.conv_transpose2d(gradient.mul_(trace.positive), trace.layer.weight, padding=1)
        if trace.maxima is not None:
            gradient = F.max_unpool2d(gradient, trace.maxima.long(), [2, 2], output_size=trace.size)
    return gradient
