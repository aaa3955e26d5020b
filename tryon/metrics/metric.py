"""What a metric is here: a function over a batch of 8-bit pictures, and how its numbers become one.

Per-picture metrics (SSIM, PSNR, L1) make one map of local values and average it inside each region, so that the
picture, the garment and any region that comes later cost one pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.uint8]
"""A batch of pictures, uint8 (N, H, W, 3), RGB."""

Regions = Mapping[str, NDArray[np.bool_] | None]
"""Named regions, bool (N, H, W) with True = counts; None is the whole picture."""

Rows = dict[str, NDArray[np.floating]]
"""For each region one entry per picture, (N, ...): float64 numbers (NaN: the region is empty), or float32 features."""

Measure = Callable[[Pictures, Pictures, Regions], Rows]
"""The one signature: results, targets, regions."""

PICTURE = "picture"
"""Name of the region that is the whole picture."""

WHOLE: Regions = {PICTURE: None}


@dataclass(frozen=True)
class Metric:
    """A metric by name.

    Args:
        name: its key in every output.
        title: what people call it.
        better: which way it improves.
        load: makes the measuring function, from the path of its weights (None when it needs none) and a torch device.
        value: all entries of a set of pictures to one number.
        weights: name in `tryon.weights.WEIGHTS` of the file it needs.
        regional: it can be restricted to a region.
        against: `target` compares each picture with its own true picture; `people` compares the set of results with
            the set of person pictures, so it needs no truth.
        least: fewest pictures for which the number means anything.
        least_side: shortest side of a picture, in pixels, that can be measured.
        settings: what fixes the number, for the protocol.
    """

    name: str
    title: str
    better: Literal["higher", "lower"]
    load: Callable[[Path | None, str], Measure]
    value: Callable[[NDArray[np.floating]], float]
    weights: str | None = None
    regional: bool = True
    against: Literal["target", "people"] = "target"
    least: int = 1
    least_side: int = 1
    settings: str = ""


def mean(rows: NDArray[np.floating]) -> float:
    """Mean over pictures; those whose region is empty (NaN) have no say. NaN when none is left."""
    told = rows[~np.isnan(rows)]
    return float(told.mean()) if len(told) else float("nan")


def region_means(local: NDArray[np.floating], regions: Regions) -> Rows:
    """Mean of a map of local values, float (N, H, W), inside each region; NaN for an empty one."""
    return {name: _inside(local.astype(np.float64), region) for name, region in regions.items()}


def _inside(local: NDArray[np.float64], region: NDArray[np.bool_] | None) -> NDArray[np.float64]:
    if region is None:
        return local.mean((1, 2))
    count = region.sum((1, 2))
    total = np.where(region, local, 0.0).sum((1, 2))
    return np.divide(total, count, out=np.full(len(local), np.nan), where=count > 0)


def check_pair(results: Pictures, targets: Pictures) -> None:
    """Programming errors only: pictures of two shapes or of another type are never compared."""
    assert results.dtype == targets.dtype == np.uint8, (results.dtype, targets.dtype)
    assert results.shape == targets.shape, (results.shape, targets.shape)
    assert results.ndim == 4, results.shape
    assert results.shape[-1] == 3, results.shape
