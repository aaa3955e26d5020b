"""Every warp back end matches the reference in values and gradients, and stores only its inputs."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tryon.daflow import NetworkOptionError
from tryon.daflow.warp import WARPS, select_warp, warp

FAST = [name for name in WARPS if name != "reference"]

# B, k, channels, map, grid
SHAPES = [
    pytest.param(2, 3, 4, (5, 7), (5, 7), id="same size"),
    pytest.param(1, 6, 8, (4, 3), (9, 8), id="grid larger than map"),
    pytest.param(3, 2, 5, (8, 6), (2, 3), id="grid smaller than map"),
    pytest.param(1, 6, 3, (2, 2), (2, 2), id="fewer pixels than neighbors"),
    pytest.param(2, 1, 1, (1, 6), (3, 4), id="one row, one head, one channel"),
    pytest.param(2, 4, 2, (6, 1), (3, 4), id="one column"),
]


def _inputs(batch, heads, channels, map_size, grid_size, spread=1.3, dtype=torch.float64, seed=0) -> tuple[Tensor, ...]:
    """Random map, grid (partly outside the frame) and attention, all requiring gradients."""
    draw = torch.Generator().manual_seed(seed)
    features = torch.randn(batch, channels, *map_size, dtype=dtype, generator=draw)
    grid = torch.randn(batch * heads, 2, *grid_size, dtype=dtype, generator=draw) * spread
    attention = torch.randn(batch, heads, *grid_size, dtype=dtype, generator=draw)
    return tuple(tensor.requires_grad_() for tensor in (features, grid, attention))


def _value_and_gradients(backend: str, inputs: tuple[Tensor, ...]) -> list[Tensor]:
    result = warp(*inputs, backend)
    grad = torch.randn(result.shape, dtype=result.dtype, generator=torch.Generator().manual_seed(1))
    inputs_with_grad = [tensor for tensor in inputs if tensor.requires_grad]
    return [result.detach(), *torch.autograd.grad(result, inputs_with_grad, grad)]


def _assert_same(backend: str, inputs: tuple[Tensor, ...]) -> None:
    result, expected = _value_and_gradients(backend, inputs), _value_and_gradients("reference", inputs)
    torch.testing.assert_close(result[0], expected[0], rtol=0, atol=1e-10)
    for gradient, other in zip(result[1:], expected[1:], strict=True):
        torch.testing.assert_close(gradient, other, rtol=0, atol=1e-8)


@pytest.mark.parametrize("backend", FAST)
@pytest.mark.parametrize(("batch", "heads", "channels", "map_size", "grid_size"), SHAPES)
def test_agrees_with_the_reference(backend, batch, heads, channels, map_size, grid_size):
    _assert_same(backend, _inputs(batch, heads, channels, map_size, grid_size))


@pytest.mark.parametrize("backend", FAST)
def test_agrees_far_outside_the_frame(backend):
    _assert_same(backend, _inputs(2, 3, 4, (5, 7), (6, 4), spread=50.0))


@pytest.mark.parametrize("backend", FAST)
@pytest.mark.parametrize("edge", [-1.0, -1 + 1 / 8, 0.0, 1 - 1 / 8, 1.0])
def test_agrees_on_edges_and_pixel_centers(backend, edge):
    features, grid, attention = _inputs(1, 2, 3, (8, 8), (4, 4))
    _assert_same(backend, (features, torch.full_like(grid, edge).requires_grad_(), attention))


@pytest.mark.parametrize("backend", FAST)
def test_channels_last_maps_give_the_same(backend):
    features, grid, attention = _inputs(2, 3, 4, (5, 7), (5, 7))
    features = features.detach().contiguous(memory_format=torch.channels_last).requires_grad_()
    _assert_same(backend, (features, grid, attention))


@pytest.mark.parametrize("backend", FAST)
def test_agrees_in_float32(backend):
    inputs = _inputs(2, 6, 16, (12, 9), (12, 9), spread=0.7, dtype=torch.float32)
    torch.testing.assert_close(warp(*inputs, backend), warp(*inputs, "reference"), rtol=0, atol=1e-4)


@pytest.mark.parametrize("backend", FAST)
def test_infinite_positions_sample_the_border(backend):
    features, grid, attention = _inputs(1, 2, 3, (4, 5), (4, 5))
    with torch.no_grad():
        grid[0, :, 0] = torch.inf
    _assert_same(backend, (features, grid, attention))


def test_gather_propagates_nan_positions():
    """Torch's grid_sample treats NaN as the border, and its backward then crashes the interpreter on the CPU."""
    features, grid, attention = _inputs(1, 2, 3, (4, 5), (4, 5))
    with torch.no_grad():
        grid[1, 0, 2, 3] = torch.nan
    blended = warp(features, grid, attention, "gather")
    assert blended.isnan().any(1).nonzero().tolist() == [[0, 2, 3]]
    blended.sum().backward()


@pytest.mark.parametrize("backend", FAST)
def test_gradcheck(backend):
    inputs = _inputs(1, 2, 3, (4, 5), (3, 4), spread=0.5)
    torch.autograd.gradcheck(lambda *args: warp(*args, backend), inputs)


@pytest.mark.parametrize("backend", FAST)
@pytest.mark.parametrize("detached", [(1,), (0,), (2,), (0, 1), (0, 2), (1, 2)], ids=str)
def test_inputs_that_need_no_gradient_get_none(backend, detached):
    inputs = [x.detach() if i in detached else x for i, x in enumerate(_inputs(2, 3, 4, (5, 7), (5, 7)))]
    _assert_same(backend, tuple(inputs))


@pytest.mark.parametrize("backend", FAST)
def test_saves_only_the_inputs_for_backward(backend):
    inputs = _inputs(1, 6, 32, (8, 6), (8, 6))
    saved: list[Tensor] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: saved.append(tensor) or tensor, lambda tensor: tensor):
        warp(*inputs, backend)
    assert {tensor.data_ptr() for tensor in saved} <= {tensor.data_ptr() for tensor in inputs}


def test_is_deterministic():
    inputs = _inputs(2, 6, 8, (12, 9), (12, 9), spread=0.3, dtype=torch.float32)
    first, second = _value_and_gradients("auto", inputs), _value_and_gradients("auto", inputs)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("backend", WARPS)
def test_half_precision_is_widened_to_the_grid(backend):
    features, grid, attention = _inputs(1, 2, 3, (4, 5), (4, 5), dtype=torch.float32)
    narrow = warp(features.bfloat16(), grid, attention.bfloat16(), backend)
    assert narrow.dtype == torch.float32
    torch.testing.assert_close(narrow, warp(features, grid, attention, backend), rtol=0.05, atol=0.05)


def test_automatic_back_end_follows_the_device():
    assert select_warp("auto", torch.device("cpu")) == ("gather" if torch.backends.mkl.is_available() else "recompute")
    assert select_warp("auto", torch.device("cuda")) == "recompute"
    assert select_warp("reference", torch.device("cpu")) == "reference"
    with pytest.raises(NetworkOptionError, match="reference, recompute, gather"):
        select_warp("unknown", torch.device("cpu"))
