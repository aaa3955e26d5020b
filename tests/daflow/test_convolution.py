"""Banded weight gradients equal those of torch, and are used only for large maps on the CPU."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tryon.daflow import convolution
from tryon.daflow.convolution import conv_same, conv_transpose_2x

LAST = torch.channels_last


def tensors(batch: int, size: tuple[int, int], kernel: int, transposed: bool) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(3)
    maps = torch.randn(batch, 3, *size, dtype=torch.float64).contiguous(memory_format=LAST).requires_grad_()
    shape = (3, 5, kernel, kernel) if transposed else (5, 3, kernel, kernel)
    weight = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    return maps, weight, torch.randn(5, dtype=torch.float64, requires_grad=True)


def banded(result: Tensor) -> bool:
    return result.grad_fn is not None and result.grad_fn.name() in (
        "_BandedConvBackward",
        "_BandedConvTransposeBackward",
    )


@pytest.mark.parametrize("band", [1, 7, 24, 70])
@pytest.mark.parametrize(("batch", "size"), [(1, (9, 7)), (2, (8, 11)), (1, (30, 5))])
@pytest.mark.parametrize("kind", ["1x1", "3x3", "7x7", "transposed"])
def test_values_and_gradients_equal_torch(
    kind: str, batch: int, size: tuple[int, int], band: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convolution, "BAND_PIXELS", min(band, size[0] * size[1] // 2))
    inputs = tensors(batch, size, 4 if kind == "transposed" else int(kind[0]), kind == "transposed")
    maps, weight, bias = inputs
    if kind == "transposed":
        result, expected = conv_transpose_2x(*inputs), F.conv_transpose2d(maps, weight, bias, stride=2, padding=1)
    else:
        result, expected = conv_same(*inputs), F.conv2d(maps, weight, bias, padding=weight.shape[-1] // 2)
    assert banded(result)
    assert torch.equal(result, expected)
    grad = torch.randn_like(expected)
    gradients = torch.autograd.grad(result, inputs, grad)
    for gradient, plain in zip(gradients, torch.autograd.grad(expected, inputs, grad), strict=True):
        torch.testing.assert_close(gradient, plain, rtol=0, atol=1e-11)


def test_accepts_gradients_in_any_layout_and_no_bias(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolution, "BAND_PIXELS", 10)
    maps, weight, _ = tensors(2, (8, 6), 3, transposed=False)
    grad = torch.randn(2, 5, 8, 6, dtype=torch.float64)  # not channels-last
    gradients = torch.autograd.grad(conv_same(maps, weight, None), (maps, weight), grad)
    expected = torch.autograd.grad(F.conv2d(maps, weight, padding=1), (maps, weight), grad)
    for gradient, plain in zip(gradients, expected, strict=True):
        torch.testing.assert_close(gradient, plain, rtol=0, atol=1e-11)


def test_computes_only_requested_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolution, "BAND_PIXELS", 10)
    maps, weight, bias = tensors(1, (8, 6), 3, transposed=False)
    (gradient,) = torch.autograd.grad(conv_same(maps.detach(), weight, bias.detach()).sum(), weight)
    (plain,) = torch.autograd.grad(F.conv2d(maps, weight, bias, padding=1).sum(), weight)
    torch.testing.assert_close(gradient, plain, rtol=0, atol=1e-11)


def test_falls_back_to_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    maps, weight, bias = tensors(1, (8, 6), 3, transposed=False)
    assert not banded(conv_same(maps, weight, bias))  # small
    monkeypatch.setattr(convolution, "BAND_PIXELS", 10)
    assert banded(conv_same(maps, weight, bias))
    assert not banded(conv_same(maps.detach().contiguous(), weight, bias))  # not channels-last
    assert not banded(conv_same(maps, weight.detach(), bias))
    with torch.no_grad():
        assert not banded(conv_same(maps, weight, bias))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert conv_same(maps.float(), weight.float(), bias.float()).dtype == torch.bfloat16
    meta = [tensor.detach().to("meta").requires_grad_() for tensor in (maps, weight, bias)]
    assert not banded(conv_same(*meta))
