"""Convolutions of large maps on the CPU, whose weight gradient is summed up band by band.

oneDNN's weight gradient of a 3x3 layer reaches 190 GFLOP/s on a map of 64x48 but 130 on one of 256x192, where input and
slope of a whole map no longer fit into the caches; values and input gradients suffer little. A weight's gradient is a
sum over places, so it can be taken of one band of rows after the other. The numbers are the same but for rounding.

Shape legend:
    B batch, h x w sides
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

BAND = 3072
"""Pixels of a band, on the finer of the two maps."""


def conv_same(maps: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A layer K x K with stride 1: (B, inputs, h, w), weight (outputs, inputs, K, K), K odd -> (B, outputs, h, w)."""
    if _pays(maps, weight, pixels=maps.shape[2] * maps.shape[3]):
        return _SameSize.apply(maps, weight, bias)
    return F.conv2d(maps, weight, bias, padding=weight.shape[-1] // 2)


def conv_transpose_2x(maps: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A transposed layer 4x4, stride 2: (B, inputs, h, w), weight (inputs, outputs, 4, 4) -> (B, outputs, 2h, 2w)."""
    if _pays(maps, weight, pixels=4 * maps.shape[2] * maps.shape[3]):
        return _DoubledSize.apply(maps, weight, bias)
    return F.conv_transpose2d(maps, weight, bias, stride=2, padding=1)


def _pays(maps: Tensor, weight: Tensor, pixels: int) -> bool:
    """On the CPU, where a gradient will be asked for and the rows of a map lie one after the other in memory."""
    learns = torch.is_grad_enabled() and weight.requires_grad
    here = maps.device.type == "cpu" and not torch.is_autocast_enabled("cpu")
    return learns and here and pixels >= 2 * BAND and maps.is_contiguous(memory_format=torch.channels_last)


class _SameSize(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(maps, weight)
        return F.conv2d(maps, weight, bias, padding=weight.shape[-1] // 2)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grad_outputs: Tensor
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        (slope,), (maps, weight) = grad_outputs, ctx.saved_tensors
        for_maps, for_weight, for_bias = ctx.needs_input_grad
        padding = weight.shape[-1] // 2
        return (
            F.conv2d(slope, weight.flip(2, 3).transpose(0, 1), padding=padding) if for_maps else None,
            _weight_slope(slope, maps, weight, 1, padding) if for_weight else None,
            slope.sum((0, 2, 3)) if for_bias else None,
        )


class _DoubledSize(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(maps, weight)
        return F.conv_transpose2d(maps, weight, bias, stride=2, padding=1)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grad_outputs: Tensor
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        (slope,), (maps, weight) = grad_outputs, ctx.saved_tensors
        for_maps, for_weight, for_bias = ctx.needs_input_grad
        return (
            F.conv2d(slope, weight, stride=2, padding=1) if for_maps else None,
            # Its backward is a layer with stride 2, from the slope to the maps' slope, with the same weight.
            _weight_slope(maps, slope, weight, 2, 1) if for_weight else None,
            slope.sum((0, 2, 3)) if for_bias else None,
        )


def _weight_slope(coarse: Tensor, fine: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    """Gradient of the weight of a layer that reads `fine`, where `coarse` is the slope of what it gives."""
    fine = fine.contiguous(memory_format=torch.channels_last)
    coarse = coarse.contiguous(memory_format=torch.channels_last)
    height, rows = fine.shape[2], max(BAND // (fine.shape[3] * stride), 1)
    total = torch.zeros_like(weight)
    for sample in range(coarse.shape[0]):
        for top in range(0, coarse.shape[2], rows):
            band = coarse[sample : sample + 1, :, top : top + rows]
            first = top * stride - padding
            last = first + (band.shape[2] - 1) * stride + weight.shape[-1]
            read = fine[sample : sample + 1, :, max(first, 0) : last]
            if first < 0 or last > height:
                read = F.pad(read, (0, 0, max(-first, 0), max(last - height, 0)))
            total += torch.ops.aten.convolution_backward(
                band, read, weight, None, [stride] * 2, [0, padding], [1, 1], False, [0, 0], 1, [False, True, False]
            )[1]
    return total
