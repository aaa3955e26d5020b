"""Warp back end as one weighted gather, the fastest on the CPU.

Every output pixel is a weighted sum of 4k pixels of the map: k flows with four neighbors each, weight = attention x
bilinear weight. On a channels-last map this is an `embedding_bag` over pixels, which reads each as one contiguous row.
Both gradients have the same form: the map's is a bag over the transposed index list (the outputs that read a pixel),
the weights' is the product of output gradient and map at the listed positions only, from which the chain rule leads to
grid and attention. Only the inputs are stored for backward; the index lists are rebuilt there.

Shape legend:
    B batch, k flows, c channels, h x w sides of the map, H x W sides of the grid,
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

    The result is channels-last, and channels-last features are read without a copy.
    """
    return _Gather.apply(features, grid, attention)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, grid: Tensor, attention: Tensor) -> Tensor:
        ctx.save_for_backward(features, grid, attention)
        batch, _, height, width = attention.shape
        neighbors = _find_neighbors(features.shape, grid, attention)
        blended = F.embedding_bag(
            neighbors.indices, _rows(features), mode="sum", per_sample_weights=neighbors.weights(_flows_last(attention))
        )
        return blended.view(batch, height, width, -1).permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grad_outputs: Tensor
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        (grad,) = grad_outputs
        features, grid, attention = ctx.saved_tensors
        features_needed, grid_needed, attention_needed = ctx.needs_input_grad
        neighbors, blend, grads = _find_neighbors(features.shape, grid, attention), _flows_last(attention), _rows(grad)
        features_grad = grid_grad = attention_grad = None
        if features_needed:
            features_grad = _features_gradient(neighbors, blend, grads, features.shape)
        if grid_needed or attention_needed:
            corners = _corner_gradients(neighbors.indices, grads, _rows(features))
            grid_grad, attention_grad = _chain(neighbors, blend, corners, features.shape, grid, grid_needed)
        return features_grad, grid_grad, attention_grad


class _Neighbors(NamedTuple):
    """The map pixels that each output pixel reads; tensors are (B, H, W, k)."""

    x: Tensor  # position in the map, pixels, clamped to the frame
    y: Tensor
    right: Tensor  # weight of the right-hand neighbors, 0..1
    below: Tensor  # weight of the lower neighbors, 0..1
    first: Tensor  # index of the upper left neighbor among the M, int32
    steps: tuple[int, int, int, int]  # index differences to the four neighbors

    @property
    def indices(self) -> Tensor:
        """Indices (N, 4k) of all upper left, then upper right, lower left, lower right neighbors."""
        return torch.cat([self.first + step for step in self.steps], dim=-1).flatten(0, 2)

    def corners(self, blend: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return attention times bilinear weight of the four neighbors, each (B, H, W, k)."""
        lower = blend * self.below
        upper = blend - lower
        upper_right, lower_right = upper * self.right, lower * self.right
        return upper - upper_right, upper_right, lower - lower_right, lower_right

    def weights(self, blend: Tensor) -> Tensor:
        """Return the weights (N, 4k) in the order of `indices`."""
        return torch.cat(self.corners(blend), dim=-1).flatten(0, 2)


def _find_neighbors(shape: torch.Size, grid: Tensor, attention: Tensor) -> _Neighbors:
    """Find the neighbors. The upper left one is clamped a pixel before the far border, so that all four exist."""
    batch, num_flows, out_height, out_width = attention.shape
    height, width = shape[-2:]
    x, y = grid.view(batch, num_flows, 2, out_height, out_width).permute(2, 0, 3, 4, 1).contiguous()
    x = (x * (width / 2)).add_((width - 1) / 2).clamp_(0, width - 1)
    y = (y * (height / 2)).add_((height - 1) / 2).clamp_(0, height - 1)
    left, top = x.floor().clamp_(max=max(width - 2, 0)), y.floor().clamp_(max=max(height - 2, 0))
    starts = torch.arange(0, batch * height * width, height * width, dtype=torch.int32, device=grid.device)
    right, below = min(width - 1, 1), width * min(height - 1, 1)
    first = top.int().mul_(width).add_(left.int()).add_(starts.view(batch, 1, 1, 1))
    first.clamp_(0, batch * height * width - 1 - below - right)  # NaN: the weights make the result NaN as well
    return _Neighbors(x, y, x - left, y - top, first, (0, right, below, below + right))


def _features_gradient(neighbors: _Neighbors, blend: Tensor, grads: Tensor, shape: torch.Size) -> Tensor:
    """Compute the map's gradient from the transposed index list, sorted once and shifted to each neighbor.

    The sort is stable, so sums have a fixed order.
    """
    batch, channels, height, width = shape
    pixels, num_flows = batch * height * width, blend.shape[-1]
    rows, order = neighbors.first.flatten().sort(stable=True)
    starts = torch.bincount(rows, minlength=pixels).cumsum(0, dtype=torch.int32).roll(1)
    starts[0] = 0
    readers = (
        torch.arange(grads.shape[0], dtype=torch.int32, device=rows.device)
        .repeat_interleave(num_flows)
        .index_select(0, order)
    )
    total = grads.new_zeros(pixels, channels)
    for step, weight in zip(neighbors.steps, neighbors.corners(blend), strict=True):
        weight = weight.flatten().index_select(0, order)
        part = F.embedding_bag(readers, grads, starts, mode="sum", per_sample_weights=weight)
        total[step:] += part[: pixels - step]
    return total.view(batch, height, width, channels).permute(0, 3, 1, 2)


def _corner_gradients(indices: Tensor, grads: Tensor, rows: Tensor) -> Tensor:
    """Compute the gradient (N, 4k) of every weight: output gradient times map, at the listed positions only."""
    _suppress_beta_warning()
    count, listed = indices.shape
    if rows.shape[0] < listed:  # torch allocates at most as many entries per row as there are columns
        rows = F.pad(rows, (0, 0, 0, listed - rows.shape[0]))
    positions = torch.sparse_csr_tensor(
        torch.arange(0, count * listed + 1, listed, dtype=torch.int32, device=rows.device),
        indices.flatten(),
        grads.new_zeros(count * listed),
        (count, rows.shape[0]),
        device=rows.device,
        check_invariants=False,
    )
    return torch.sparse.sampled_addmm(positions, grads, rows.t(), beta=0.0).values().view(count, listed)


def _chain(
    neighbors: _Neighbors, blend: Tensor, corners: Tensor, shape: torch.Size, grid: Tensor, grid_needed: bool
) -> tuple[Tensor | None, Tensor]:
    """Compute the gradients of grid (B·k, 2, H, W) and attention (B, k, H, W) from those of the weights."""
    height, width = shape[-2:]
    upper_left, upper_right, lower_left, lower_right = corners.view(*blend.shape[:3], 4, -1).unbind(dim=3)
    upper_step, lower_step = upper_right - upper_left, lower_right - lower_left
    upper = torch.addcmul(upper_left, upper_step, neighbors.right)
    down = torch.addcmul(lower_left, lower_step, neighbors.right).sub_(upper)
    attention_grad = torch.addcmul(upper, down, neighbors.below).permute(0, 3, 1, 2)
    if not grid_needed:
        return None, attention_grad
    # Positions clamped to the border have no gradient.
    across = torch.addcmul(upper_step, lower_step.sub_(upper_step), neighbors.below)
    x_grad = across.mul_(blend).mul_((neighbors.x > 0) & (neighbors.x < width - 1)).mul_(width / 2)
    y_grad = down.mul_(blend).mul_((neighbors.y > 0) & (neighbors.y < height - 1)).mul_(height / 2)
    return torch.stack((x_grad, y_grad)).permute(1, 4, 0, 2, 3).reshape(grid.shape), attention_grad


def _flows_last(maps: Tensor) -> Tensor:
    """Move flows last: (B, k, H, W) to contiguous (B, H, W, k)."""
    return maps.permute(0, 2, 3, 1).contiguous()


def _rows(maps: Tensor) -> Tensor:
    """Return one row of c channels per pixel of (B, c, h, w); no copy for a channels-last map."""
    return maps.permute(0, 2, 3, 1).reshape(-1, maps.shape[1])


@functools.cache
def _suppress_beta_warning() -> None:
    """Trigger torch's once-per-process warning about beta CSR support while warnings are suppressed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        pointers = torch.zeros(2, dtype=torch.int32)
        torch.sparse_csr_tensor(pointers, pointers[:0], torch.zeros(0), (1, 1), check_invariants=False)
