"""The warp as one weighted gather: the fastest on the CPU.

Every output pixel is a weighted sum of 4k pixels of the map: k heads, four neighbors each, weight = attention x
bilinear weight. With the map channels-last that is an `embedding_bag` over its pixels, which reads each of them as one
contiguous row. Both gradients keep that form: the map's is a bag over the transposed list (which outputs read this
pixel), the weights' is the product of output slope and map at the listed places only, and from there the chain rule
leads to grid and attention. Only the inputs are kept for backward; the lists are rebuilt there.

Shape legend:
    B batch, k heads, c channels, h x w sides of the map, H x W sides of the grid,
    N = B·H·W output pixels, M = B·h·w map pixels
"""

from __future__ import annotations

import functools
import warnings
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F


def gather(features: Tensor, grid: Tensor, attention: Tensor) -> Tensor:
    """Warp (B, c, h, w) features at a (B·k, 2, H, W) grid, blended by (B, k, H, W) attention, to (B, c, H, W).

    The result lies channels-last in memory, and features that do are read without a copy.
    """
    return _Gather.apply(features, grid, attention)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, grid: Tensor, attention: Tensor) -> Tensor:
        ctx.save_for_backward(features, grid, attention)
        batch, _, height, width = attention.shape
        places = _places(features.shape, grid, attention)
        blended = F.embedding_bag(
            places.neighbors, _rows(features), mode="sum", per_sample_weights=places.weights(_last(attention))
        )
        return blended.view(batch, height, width, -1).permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grad_outputs: Tensor
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        (slope,) = grad_outputs
        features, grid, attention = ctx.saved_tensors
        for_features, for_grid, for_attention = ctx.needs_input_grad
        places, blend, slopes = _places(features.shape, grid, attention), _last(attention), _rows(slope)
        features_slope = grid_slope = attention_slope = None
        if for_features:
            features_slope = _features_slope(places, blend, slopes, features.shape)
        if for_grid or for_attention:
            corners = _corner_slopes(places.neighbors, slopes, _rows(features))
            grid_slope, attention_slope = _chain(places, blend, corners, features.shape, grid, for_grid)
        return features_slope, grid_slope, attention_slope


class _Places(NamedTuple):
    """Where each output pixel reads, everything (B, H, W, k) but the list."""

    x: Tensor  # position in the map, pixels, clamped to the frame
    y: Tensor
    right: Tensor  # share of the right-hand neighbors, 0..1
    below: Tensor  # share of the lower neighbors, 0..1
    first: Tensor  # row of the upper left neighbor among the M, int32
    steps: tuple[int, int, int, int]  # from there to each of the four neighbors

    @property
    def neighbors(self) -> Tensor:
        """The list (N, 4k): rows of all upper left, then upper right, lower left, lower right neighbors."""
        return torch.cat([self.first + step for step in self.steps], dim=-1).flatten(0, 2)

    def corners(self, blend: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Attention times bilinear weight of the four neighbors, each (B, H, W, k)."""
        lower = blend * self.below
        upper = blend - lower
        upper_right, lower_right = upper * self.right, lower * self.right
        return upper - upper_right, upper_right, lower - lower_right, lower_right

    def weights(self, blend: Tensor) -> Tensor:
        """The weights (N, 4k) in the list's order."""
        return torch.cat(self.corners(blend), dim=-1).flatten(0, 2)


def _places(shape: torch.Size, grid: Tensor, attention: Tensor) -> _Places:
    """Find the neighbors. The upper left one stays a pixel away from the far border, so all four always exist."""
    batch, heads, out_height, out_width = attention.shape
    height, width = shape[-2:]
    x, y = grid.view(batch, heads, 2, out_height, out_width).permute(2, 0, 3, 4, 1).contiguous()
    x = (x * (width / 2)).add_((width - 1) / 2).clamp_(0, width - 1)
    y = (y * (height / 2)).add_((height - 1) / 2).clamp_(0, height - 1)
    left, top = x.floor().clamp_(max=max(width - 2, 0)), y.floor().clamp_(max=max(height - 2, 0))
    starts = torch.arange(0, batch * height * width, height * width, dtype=torch.int32, device=grid.device)
    right, below = min(width - 1, 1), width * min(height - 1, 1)
    first = top.int().mul_(width).add_(left.int()).add_(starts.view(batch, 1, 1, 1))
    first.clamp_(0, batch * height * width - 1 - below - right)  # for NaN: its weights make the result NaN as well
    return _Places(x, y, x - left, y - top, first, (0, right, below, below + right))


def _features_slope(places: _Places, blend: Tensor, slopes: Tensor, shape: torch.Size) -> Tensor:
    """Slope of the map: the transposed list, sorted once by upper left neighbor, then shifted to the other three.

    A stable sort, so the sums come in the same order every time.
    """
    batch, channels, height, width = shape
    pixels, heads = batch * height * width, blend.shape[-1]
    rows, order = places.first.flatten().sort(stable=True)
    starts = torch.bincount(rows, minlength=pixels).cumsum(0, dtype=torch.int32).roll(1)
    starts[0] = 0
    readers = (
        torch.arange(slopes.shape[0], dtype=torch.int32, device=rows.device)
        .repeat_interleave(heads)
        .index_select(0, order)
    )
    total = slopes.new_zeros(pixels, channels)
    for step, weight in zip(places.steps, places.corners(blend), strict=True):
        weight = weight.flatten().index_select(0, order)
        part = F.embedding_bag(readers, slopes, starts, mode="sum", per_sample_weights=weight)
        total[step:] += part[: pixels - step]
    return total.view(batch, height, width, channels).permute(0, 3, 1, 2)


def _corner_slopes(neighbors: Tensor, slopes: Tensor, rows: Tensor) -> Tensor:
    """Slope of every weight: output slope times map, at the listed places only. (N, 4k) -> (N, 4k)."""
    _silence_beta_notice()
    count, listed = neighbors.shape
    if rows.shape[0] < listed:  # torch makes room for no more entries in a row than there are columns
        rows = F.pad(rows, (0, 0, 0, listed - rows.shape[0]))
    places = torch.sparse_csr_tensor(
        torch.arange(0, count * listed + 1, listed, dtype=torch.int32, device=rows.device),
        neighbors.flatten(),
        slopes.new_zeros(count * listed),
        (count, rows.shape[0]),
        device=rows.device,
        check_invariants=False,
    )
    return torch.sparse.sampled_addmm(places, slopes, rows.t(), beta=0.0).values().view(count, listed)


def _chain(
    places: _Places, blend: Tensor, corners: Tensor, shape: torch.Size, grid: Tensor, for_grid: bool
) -> tuple[Tensor | None, Tensor]:
    """From the slopes of the weights to those of grid (B·k, 2, H, W) and attention (B, k, H, W)."""
    height, width = shape[-2:]
    upper_left, upper_right, lower_left, lower_right = corners.view(*blend.shape[:3], 4, -1).unbind(dim=3)
    upper_step, lower_step = upper_right - upper_left, lower_right - lower_left
    upper = torch.addcmul(upper_left, upper_step, places.right)
    down = torch.addcmul(lower_left, lower_step, places.right).sub_(upper)
    attention_slope = torch.addcmul(upper, down, places.below).permute(0, 3, 1, 2)
    if not for_grid:
        return None, attention_slope
    # Where the border stopped the position, moving the grid changes nothing.
    across = torch.addcmul(upper_step, lower_step.sub_(upper_step), places.below)
    x_slope = across.mul_(blend).mul_((places.x > 0) & (places.x < width - 1)).mul_(width / 2)
    y_slope = down.mul_(blend).mul_((places.y > 0) & (places.y < height - 1)).mul_(height / 2)
    return torch.stack((x_slope, y_slope)).permute(1, 4, 0, 2, 3).reshape(grid.shape), attention_slope


def _last(maps: Tensor) -> Tensor:
    """(B, k, H, W) -> (B, H, W, k), contiguous."""
    return maps.permute(0, 2, 3, 1).contiguous()


def _rows(maps: Tensor) -> Tensor:
    """(B, c, h, w) -> one row of c channels per pixel; no copy when the map lies channels-last."""
    return maps.permute(0, 2, 3, 1).reshape(-1, maps.shape[1])


@functools.cache
def _silence_beta_notice() -> None:
    """Torch tells once a process that its CSR support is in beta; take that notice here, where it needs no reader."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        pointers = torch.zeros(2, dtype=torch.int32)
        torch.sparse_csr_tensor(pointers, pointers[:0], torch.zeros(0), (1, 1), check_invariants=False)
