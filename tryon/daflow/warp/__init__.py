"""Deformable attention warp: sample a feature map along k flows and blend the samples by attention.

Source: arXiv 2207.09161, section 3, deformable attention flow (DAFWarp):

    out[b] = sum over flows j of A[b, j] · sample(f[b], G[b·k + j])

with `sample` bilinear, border padding, align_corners=False. Back ends with the same result:

    reference   as written above; autograd stores every sampled map
    recompute   the same loop; stores only its inputs and samples again in backward
    gather      one weighted gather over the 4k neighbors of every pixel, on channels-last maps

Shape legend:
    B batch, k flows, c channels, h x w sides of the map, H x W sides of the grid (may differ from the map's)
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from tryon.daflow.config import NetworkOptionError
from tryon.daflow.warp.gather import gather
from tryon.daflow.warp.recompute import recompute
from tryon.daflow.warp.reference import reference

WARPS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "reference": reference,
    "recompute": recompute,
    "gather": gather,
}
AUTOMATIC = "auto"


def warp(features: Tensor, grid: Tensor, attention: Tensor, backend: str = AUTOMATIC) -> Tensor:
    """Sample `features` along k flows and blend by attention.

    Under autocast features and attention are cast to the grid's dtype, which `grid_sample` requires.

    Args:
        features: (B, c, h, w), float.
        grid: (B·k, 2, H, W), channel 0 = x, normalized coordinates; outside [-1, 1] the border is replicated. A
            detached grid costs no gradient computation.
        attention: (B, k, H, W); need not sum to one.
        backend: a name in `WARPS`, or "auto": `gather` on a CPU with MKL, else `recompute`.

    Returns:
        (B, c, H, W), the grid's dtype.

    Raises:
        NetworkOptionError: unknown back end.

    >>> features = torch.arange(6.0).reshape(1, 1, 2, 3)
    >>> identity = torch.nn.functional.affine_grid(torch.eye(2, 3)[None], [1, 1, 2, 3], align_corners=False)
    >>> bool(warp(features, identity.permute(0, 3, 1, 2), torch.ones(1, 1, 2, 3)).allclose(features))
    True
    """
    features, attention = features.to(grid.dtype), attention.to(grid.dtype)
    return WARPS[select_warp(backend, features.device)](features, grid, attention)


def select_warp(backend: str, device: torch.device) -> str:
    """Resolve "auto" to the fastest back end on `device`, or raise NetworkOptionError for an unknown name."""
    if backend == AUTOMATIC:
        return "gather" if device.type == "cpu" and torch.backends.mkl.is_available() else "recompute"
    if backend not in WARPS:
        raise NetworkOptionError(
            "unknown warp back end", found=backend, expected=f"one of {', '.join((AUTOMATIC, *WARPS))}"
        )
    return backend
