"""Convolutions whose weight gradient is computed band by band on the CPU.

oneDNN's weight gradient of a 3x3 layer reaches 190 GFLOP/s on a 64x48 map but 130 on a 256x192 one, where input and
output gradient of a whole map no longer fit into the caches. A weight's gradient is a sum over positions, so it can be
accumulated over bands of rows; the result is the same up to rounding.

Shape legend:
    B batch, h x w sides
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

BAND_PIXELS = 3072
"""Pixels of a band, on the finer of the two maps."""


def conv_same(maps: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Convolve with stride 1: (B, inputs, h, w), weight (outputs, inputs, K, K), K odd -> (B, outputs, h, w)."""
    if _use_bands(maps, weight, pixels=maps.shape[2] * maps.shape[3]):
        return _BandedConv.apply(maps, weight, bias)
    return F.conv2d(maps, weight, bias, padding=weight.shape[-1] // 2)


def conv_transpose_2x(maps: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Convolve transposed with stride 2: (B, inputs, h, w), weight (inputs, outputs, 4, 4) -> (B, outputs, 2h, 2w)."""
    if _use_bands(maps, weight, pixels=4 * maps.shape[2] * maps.shape[3]):
        return _BandedConvTranspose.apply(maps, weight, bias)
    return F.conv_transpose2d(maps, weight, bias, stride=2, padding=1)


def _use_bands(maps: Tensor, weight: Tensor, pixels: int) -> bool:
    needs_gradient = torch.is_grad_enabled() and weight.requires_grad
    on_cpu = maps.device.type == "cpu" and not torch.is_autocast_enabled("cpu")
    return (
        needs_gradient
        and on_cpu
        and pixels >= 2 * BAND_PIXELS
        and maps.is_contiguous(memory_format=torch.channels_last)
    )


class _BandedConv(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(maps, weight)
        return F.conv2d(maps, weight, bias, padding=weight.shape[-1] // 2)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grad_outputs: Tensor
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        (grad,), (maps, weight) = grad_outputs, ctx.saved_tensors
        maps_needed, weight_needed, bias_needed = ctx.needs_input_grad
        padding = weight.shape[-1] // 2
        return (
            F.conv2d(grad, weight.flip(2, 3).transpose(0, 1), padding=padding) if maps_needed else None,
            _banded_weight_grad(grad, maps, weight, 1, padding) if weight_needed else None,
            grad.sum((0, 2, 3)) if bias_needed else None,
        )


class _BandedConvTranspose(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(maps, weight)
        return F.conv_transpose2d(maps, weight, bias, stride=2, padding=1)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grad_outputs: Tensor
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        (grad,), (maps, weight) = grad_outputs, ctx.saved_tensors
        maps_needed, weight_needed, bias_needed = ctx.needs_input_grad
        return (
            F.conv2d(grad, weight, stride=2, padding=1) if maps_needed else None,
            # The input gradient is a convolution with stride 2 and the same weight.
            _banded_weight_grad(maps, grad, weight, 2, 1) if weight_needed else None,
            grad.sum((0, 2, 3)) if bias_needed else None,
        )


def _banded_weight_grad(coarse: Tensor, fine: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    """Return the weight gradient of a convolution with input `fine` and output gradient `coarse`."""
    fine = fine.contiguous(memory_format=torch.channels_last)
    coarse = coarse.contiguous(memory_format=torch.channels_last)
    height, rows = fine.shape[2], max(BAND_PIXELS // (fine.shape[3] * stride), 1)
    weight_grad = torch.zeros_like(weight)
    for sample in range(coarse.shape[0]):
        for top in range(0, coarse.shape[2], rows):
            band = coarse[sample : sample + 1, :, top : top + rows]
            first = top * stride - padding
            last = first + (band.shape[2] - 1) * stride + weight.shape[-1]
            window = fine[sample : sample + 1, :, max(first, 0) : last]
            if first < 0 or last > height:
                window = F.pad(window, (0, 0, max(-first, 0), max(last - height, 0)))
            weight_grad += torch.ops.aten.convolution_backward(
                band, window, weight, None, [stride] * 2, [0, padding], [1, 1], False, [0, 0], 1, [False, True, False]
            )[1]
    return weight_grad
