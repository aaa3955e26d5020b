"""Rounding of numbers for result files."""

from __future__ import annotations

import math


def round_or_none(value: float | None, decimals: int = 6) -> float | None:
    """Round a number for a JSON file; None and NaN become None.

    >>> round_or_none(0.12345678), round_or_none(float("nan"))
    (0.123457, None)
    """
    return None if value is None or math.isnan(value) else round(float(value), decimals)
