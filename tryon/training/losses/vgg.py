"""A frozen VGG that gives the gradient of its terms with next to nothing kept.

Its weights never learn, so the way back needs no features: only which activations were positive, where each maximum
came from, and the gradient of the terms at the layers that they look at. The two images go through side by side,
each layer's terms are taken as soon as both are there, and nothing but the gradient at that layer stays.

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
"""Convolutions of each block; between blocks the sides are halved."""

MIN_SIDE = 16
"""Sides of less leave the last block no pixel."""

BAND_SIZE = 1 << 20
"""Features that a mean over pixels is taken of at a time: what its gradient needs is many times the features, and in
pieces of a few MiB it stays in a CPU's cache."""


@dataclass(frozen=True)
class Term:
    """What is made of the features of one layer.

    Args:
        function: from the features of result and target, float (B, C, h, w), to a scalar.
        weight: of the scalar.
        mean_over_pixels: whether bands of rows may be taken one after the other.
    """

    function: Callable[[Tensor, Tensor], Tensor]
    weight: float = 1.0
    mean_over_pixels: bool = True


Terms = Mapping[str, Mapping[str, Term]]
"""For each layer that is looked at, terms by their names."""


@dataclass(frozen=True)
class Layer:
    """A convolution with its ReLU, after a pooling where a block begins."""

    name: str
    weight: Tensor
    bias: Tensor
    pools: bool


@dataclass
class _Trace:
    """What the way back needs of one layer."""

    layer: Layer
    positive: Tensor
    maxima: Tensor | None
    size: torch.Size
    gradient: Tensor | None


class FrozenVgg:
    """The convolutions of a VGG, channels-last, which is up to twice as fast.

    Args:
        layers: from the image on; those after the last that is looked at are never run.
        shift, scale: a image enters as (image - shift) / scale; float (1, 3, 1, 1), or 1 for 3 alike.
    """

    def __init__(self, layers: Sequence[Layer], shift: Tensor, scale: Tensor) -> None:
        self.layers, self.shift, self.scale = tuple(layers), shift, scale

    @classmethod
    def from_state(
        cls, state: Mapping[str, Tensor], name: str, shift: Sequence[float] = (0.0,), scale: Sequence[float] = (1.0,)
    ) -> FrozenVgg:
        """Build `vgg16` or `vgg19` from torchvision's state dict.

        Raises:
            KeyError: a tensor is not there.
        """
        layers, index = [], 0
        for block, count in enumerate(BLOCKS[name], 1):
            for number in range(1, count + 1):
                weight, bias = (state[f"features.{index}.{part}"].detach() for part in ("weight", "bias"))
                layers.append(Layer(f"relu{block}_{number}", weight, bias, pools=number == 1 and block > 1))
                index += 2  # a convolution and its ReLU
            index += 1  # the pooling
        return cls(layers, *(torch.tensor(values).view(1, -1, 1, 1) for values in (shift, scale)))

    def to(self, device: torch.device | str, dtype: torch.dtype) -> FrozenVgg:
        """The same network there and in that number format; images and results keep their own."""
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
        """Values of the terms, each summed over its layers, and the gradient of their sum by the image.

        Args:
            image, target: float (B, 3, h, w), sides of at least `MIN_SIDE`.
            terms: for each layer its terms; at least one.

        Returns:
            float scalars by term, and float (B, 3, h, w).
        """
        values: dict[str, Tensor] = {}
        traces: list[_Trace] = []
        magnified = self._magnification(image)
        own, other = self._normalize_input(image), self._normalize_input(target)
        for layer in self._up_to_last(terms):
            size, maxima = own.shape[-2:], None
            if layer.pools:
                own, maxima = F.max_pool2d(own, 2, return_indices=True)
                maxima, other = maxima.int(), F.max_pool2d(other, 2)
            own = _convolve(layer, own)
            other = _convolve(layer, other)
            gradient = None
            if layer.name in terms:
                gradient = _add_term(terms[layer.name], own, other, values).mul_(magnified).to(own.dtype)
            traces.append(_Trace(layer, own > 0, maxima, size, gradient))
        return values, _backward(traces).to(image.dtype) / (self.scale * magnified)

    def _normalize_input(self, image: Tensor) -> Tensor:
        entered = (image - self.shift) / self.scale
        return entered.to(self.layers[0].weight.dtype, memory_format=torch.channels_last)

    def _magnification(self, image: Tensor) -> float:
        """What gradients are multiplied by on their way in float16: that of a mean is small as there are many pixels.

        A power of two, so that nothing is rounded.
        """
        half = self.layers[0].weight.dtype == torch.float16
        return 2.0 ** int(math.log2(image[:, 0].numel())) if half else 1.0

    def _up_to_last(self, terms: Terms) -> Sequence[Layer]:
        last = max(number for number, layer in enumerate(self.layers) if layer.name in terms)
        return self.layers[: last + 1]


def _convolve(layer: Layer, features: Tensor) -> Tensor:
    return F.conv2d(features, layer.weight, layer.bias, padding=1).relu_()


def _add_term(terms: Mapping[str, Term], own: Tensor, other: Tensor, values: dict[str, Tensor]) -> Tensor:
    """Add the terms' values at one layer to `values`; their gradient there, in at least float32."""
    wide = torch.promote_types(own.dtype, torch.float32)  # sums over thousands of pixels need more than half precision
    gradient = torch.zeros_like(own, dtype=wide)
    height = own.shape[2]
    for name, term in terms.items():
        rows = max(1, BAND_SIZE * height // own.numel()) if term.mean_over_pixels else height
        for start in range(0, height, rows):
            band = slice(start, start + rows)
            leaf = own[:, :, band].to(wide).detach().requires_grad_()
            with torch.enable_grad():
                share = term.weight * leaf.shape[2] / height
                value = share * term.function(leaf, other[:, :, band].to(wide))
            gradient[:, :, band] += torch.autograd.grad(value, leaf)[0]
            values[name] = values.get(name, 0) + value.detach()
    return gradient


def _backward(traces: list[_Trace]) -> Tensor:
    """Follow the layers back to the image, dropping each one's trace on the way."""
    gradient: Any = None
    while traces:
        trace = traces.pop()
        if trace.gradient is not None:
            gradient = trace.gradient if gradient is None else gradient.add_(trace.gradient)
        gradient = F.conv_transpose2d(gradient.mul_(trace.positive), trace.layer.weight, padding=1)
        if trace.maxima is not None:
            gradient = F.max_unpool2d(gradient, trace.maxima.long(), [2, 2], output_size=trace.size)
    return gradient
