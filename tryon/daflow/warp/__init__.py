"""The deformable attention warp: sample a feature map along k flows and blend the samples by their attention.

Source: arXiv 2207.09161, section 3, deformable attention flow (DAFWarp):

    out[b] = sum over heads j of A[b, j] · sample(f[b], G[b·k + j])

with `sample` bilinear, border padding, align_corners=False. One function, the same numbers, and a dict of ways to
compute it:

    reference   as written above; autograd keeps every sampled map
    lean        the same loop; keeps its inputs only and samples again in backward
    gather      one weighted gather over the 4k neighbors of every pixel, on maps that lie channels-last

Shape legend:
    B batch, k heads, c channels, h x w sides of the map, H x W sides of the grid (may differ from the map's)
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
    "lean": recompute,
    "gather": gather,
}
AUTOMATIC = "auto"


def warp(features: Tensor, grid: Tensor, attention: Tensor, backend: str = AUTOMATIC) -> Tensor:
    """Sample `features` along k flows and blend by attention.

    Under autocast the features and the attention are widened to the grid's type, as `grid_sample` itself would have it.

    Args:
        features: (B, c, h, w), float.
        grid: (B·k, 2, H, W), channel 0 = x, normalized coordinates; outside [-1, 1] the border is repeated. A grid
            that needs no gradient (a detached one) costs none.
        attention: (B, k, H, W); need not sum to one.
        backend: a name in `WARPS`, or "auto": `gather` on the CPU where MKL is there, `lean` elsewhere.

    Returns:
        (B, c, H, W), the grid's dtype.

    Raises:
        NetworkOptionError: for an unknown back end.
    """
    features, attention = features.to(grid.dtype), attention.to(grid.dtype)
    return WARPS[select_warp(backend, features.device)](features, grid, attention)


def select_warp(backend: str, device: torch.device) -> str:
    """Resolve "auto" to the fastest back end on `device`; refuse an unknown name with a `NetworkOptionError`."""
    if backend == AUTOMATIC:
        return "gather" if device.type == "cpu" and torch.backends.mkl.is_available() else "lean"
    if backend not in WARPS:
        raise NetworkOptionError("warp back end", expected=f"one of {', '.join((AUTOMATIC, *WARPS))}", found=backend)
    return backend
