"""Banded weight gradients are the plain ones, and are taken only where they pay."""

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
    return result.grad_fn is not None and result.grad_fn.name() in ("_SameSizeBackward", "_DoubledSizeBackward")


@pytest.mark.parametrize("band", [1, 7, 24, 70])
@pytest.mark.parametrize(("batch", "size"), [(1, (9, 7)), (2, (8, 11)), (1, (30, 5))])
@pytest.mark.parametrize("kind", ["1x1", "3x3", "7x7", "doubled"])
def test_values_and_gradients_are_the_plain_ones(
    kind: str, batch: int, size: tuple[int, int], band: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convolution, "BAND", min(band, size[0] * size[1] // 2))
    inputs = tensors(batch, size, 4 if kind == "doubled" else int(kind[0]), kind == "doubled")
    maps, weight, bias = inputs
    if kind == "doubled":
        found, expected = conv_transpose_2x(*inputs), F.conv_transpose2d(maps, weight, bias, stride=2, padding=1)
    else:
        found, expected = conv_same(*inputs), F.conv2d(maps, weight, bias, padding=weight.shape[-1] // 2)
    assert banded(found)
    assert torch.equal(found, expected)
    slope = torch.randn_like(expected)
    slopes = torch.autograd.grad(found, inputs, slope)
    for own, plain in zip(slopes, torch.autograd.grad(expected, inputs, slope), strict=True):
        torch.testing.assert_close(own, plain, rtol=0, atol=1e-11)


def test_slopes_in_any_layout_and_without_a_bias(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolution, "BAND", 10)
    maps, weight, _ = tensors(2, (8, 6), 3, transposed=False)
    slope = torch.randn(2, 5, 8, 6, dtype=torch.float64)  # not channels-last
    found = torch.autograd.grad(conv_same(maps, weight, None), (maps, weight), slope)
    expected = torch.autograd.grad(F.conv2d(maps, weight, padding=1), (maps, weight), slope)
    for own, plain in zip(found, expected, strict=True):
        torch.testing.assert_close(own, plain, rtol=0, atol=1e-11)


def test_only_what_is_asked_for_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolution, "BAND", 10)
    maps, weight, bias = tensors(1, (8, 6), 3, transposed=False)
    (slope,) = torch.autograd.grad(conv_same(maps.detach(), weight, bias.detach()).sum(), weight)
    (plain,) = torch.autograd.grad(F.conv2d(maps, weight, bias, padding=1).sum(), weight)
    torch.testing.assert_close(slope, plain, rtol=0, atol=1e-11)


def test_elsewhere_it_is_the_plain_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    maps, weight, bias = tensors(1, (8, 6), 3, transposed=False)
    assert not banded(conv_same(maps, weight, bias))  # small
    monkeypatch.setattr(convolution, "BAND", 10)
    assert banded(conv_same(maps, weight, bias))
    assert not banded(conv_same(maps.detach().contiguous(), weight, bias))  # rows of a map lie apart
    assert not banded(conv_same(maps, weight.detach(), bias))
    with torch.no_grad():
        assert not banded(conv_same(maps, weight, bias))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert conv_same(maps.float(), weight.float(), bias.float()).dtype == torch.bfloat16
    meta = [tensor.detach().to("meta").requires_grad_() for tensor in (maps, weight, bias)]
    assert not banded(conv_same(*meta))
