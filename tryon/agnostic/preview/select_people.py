"""Select people for previews: the worst by the audit, and a hash sample."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from tryon.runtime.hash_sampling import hash_sample

pc: Any = pyarrow.compute  # its functions are generated at run time

RANKED_BY = ("leak_fraction", "protected_fraction", "outline_similarity")
"""Metrics that rank masks, the most severe first."""

_UNKNOWN = {"leak_fraction": 1.0, "protected_fraction": 0.0, "outline_similarity": 0.0}
"""Values for unknown metrics: a garment that was not found may be visible."""

_DECIMALS = 3
"""Metrics are compared in tenths of a percent, since a pixel or two at an edge do not matter."""


def select_worst(audits: pa.Table, count: int) -> list[int]:
    """Return the numbers of up to `count` people with the worst masks in `shards.MASKS`, the worst first."""
    values = [np.round(pc.fill_null(audits[name], _UNKNOWN[name]).to_numpy(), _DECIMALS) for name in RANKED_BY]
    order = np.lexsort([-metric for metric in reversed(values)])
    usable = pc.is_null(audits["reason"]).to_numpy()
    return [int(number) for number in order if usable[number]][:count]


def select_random(audits: pa.Table, count: int, exclude: Collection[int] = ()) -> list[int]:
    """Return the numbers of up to `count` people with a mask, sampled by hash, without `exclude`."""
    usable = pc.is_null(audits["reason"]).to_pylist()
    names = audits["person_id"].to_pylist()
    candidates = [number for number, has_mask in enumerate(usable) if has_mask and number not in exclude]
    return hash_sample(candidates, count, "typical", names.__getitem__)
