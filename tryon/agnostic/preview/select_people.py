"""Which people to look at: the worst by the audit, and some that only their names choose."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from tryon.runtime.atomic_files import sha256_bytes

pc: Any = pyarrow.compute  # most of its functions are made at run time, out of sight of a type checker

RANKED_BY = ("leak_fraction", "protected_fraction", "outline_similarity")
"""What makes a mask worse than another, the gravest fault first."""

_UNKNOWN = {"leak_fraction": 1.0, "protected_fraction": 0.0, "outline_similarity": 0.0}
"""What counts where a number is not known: of a garment that nobody found, all may be visible."""

_DECIMALS = 3
"""Faults are compared in tenths of a percent: a pixel or two at an edge make no mask worse than another."""


def select_worst(audits: pa.Table, count: int) -> list[int]:
    """Numbers of the people whose masks are worst, the worst first.

    Args:
        audits: rows of `shards.MASKS`, one a person; those without a mask are passed over.
        count: most of them.
    """
    faults = [np.round(pc.fill_null(audits[name], _UNKNOWN[name]).to_numpy(), _DECIMALS) for name in RANKED_BY]
    order = np.lexsort([-values for values in reversed(faults)])
    usable = pc.is_null(audits["reason"]).to_numpy()
    return [int(number) for number in order if usable[number]][:count]


def select_random(audits: pa.Table, count: int, besides: Collection[int] = ()) -> list[int]:
    """Numbers of some people, drawn by a hash of their names, who are not among `besides`."""
    usable = pc.is_null(audits["reason"]).to_pylist()
    names = audits["person_id"].to_pylist()
    rest = [number for number, good in enumerate(usable) if good and number not in besides]
    return sorted(rest, key=lambda number: sha256_bytes(f"typical:{names[number]}".encode()))[:count]
