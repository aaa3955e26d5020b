"""What is said when too many masks are beyond the limits, or no row is left: what, which rows, and what to do."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tryon.agnostic.limits import LIMITS, BeyondLimitsError, Limit, any_of, as_said, numbers_of, status_is_ok
from tryon.agnostic.plan import Plan
from tryon.agnostic.settings import LimitSettings
from tryon.categories import Category
from tryon.errors import TryOnError

NAMED = 12
"""Rows that the message names for each limit."""

_WIDTH = 110
"""Letters in a line of the message."""

_DIGITS = 3
"""Significant digits of a limit that the message proposes."""

LEAKS_BY_DESIGN = (
    "The recipe dresscode-official leaves skirts and belts visible and hides chins, as its original does. Whoever wants"
    " such masks sets max_leak_fraction and max_protected_fraction to 1 and min_mask_fraction to 0."
)


def check_any_good(category: Category, rows: pa.Table) -> None:
    """Make sure that a category that has rows keeps some.

    Raises:
        TryOnError: all are set aside; the most frequent reasons are told.
    """
    if not rows.num_rows or status_is_ok(rows).any():
        return
    values = re.compile(r" (\d\S*|unknown)(?= is beyond)")  # without them many rows have the same reason
    reasons = Counter(values.sub("", reason or "") for reason in rows["reason"].to_pylist()).most_common(3)
    told = "; ".join(f"{count} x {reason}" for reason, count in reasons)
    remedy = (
        f"See why, in data/index and in agnostic.limits of params.yaml; `tryon agnostic {category} --preview 6` draws."
    )
    raise TryOnError(
        f"all {rows.num_rows} rows of {category}", rule="are set aside, and none is left", value=told, remedy=remedy
    )


def error_of(planned: Plan, rows: pa.Table, found: dict[str, NDArray[np.bool_]], picture: str) -> BeyondLimitsError:
    """One message in lines: how many rows, for each limit the worst with their values, and what to do.

    Args:
        planned: the run.
        rows: as given to `beyond`.
        found: what it gave.
        picture: path of a picture that shows the worst.
    """
    limits = planned.settings.limits
    broken = [limit for limit in LIMITS if found[limit.key].any()]
    count, good = int(any_of(found).sum()), int(status_is_ok(rows).sum())
    told = [line for limit in broken for line in _told(limit, rows, found[limit.key], limits)]
    enough = [
        f"    {limit.key}: {enough_for(limit, numbers_of(rows, limit.column)[found[limit.key]])}" for limit in broken
    ]
    remedy = [
        f"Look at {picture}, where the worst are drawn. Then, in section agnostic.limits of params.yaml,",
        "  to use all these rows, set",
        *enough,
        "  or to set them aside, set",
        f"    max_bad_fraction: {_rounded(count / good, up=True)}",
        f"and run `tryon agnostic {planned.category}` again, which uses the masks made so far.",
        *(textwrap.wrap(LEAKS_BY_DESIGN, _WIDTH) if planned.settings.recipe == "dresscode-official" else ()),
    ]
    return BeyondLimitsError(
        f"{count} of {good} rows of {planned.category} have a mask beyond agnostic.limits",
        rule="\n".join([f"at most {100 * limits.max_bad_fraction:g} % of rows may", *told]),
        remedy="\n".join(remedy),
    )


def enough_for(limit: Limit, values: NDArray[np.float32]) -> str:
    """The value of a limit, rounded to the side where it holds, that lets rows of these values pass."""
    if np.isnan(values).any():
        return "1"
    return _rounded(float(values.max() if limit.most else values.min()), limit.most)


def _told(limit: Limit, rows: pa.Table, beyond: NDArray[np.bool_], limits: LimitSettings) -> Sequence[str]:
    """Lines about one limit: how many rows are beyond it, and which are so the farthest."""
    values = numbers_of(rows, limit.column)
    order = np.argsort(-values[beyond] if limit.most else values[beyond], kind="stable")  # what is not known comes last
    worst = np.flatnonzero(beyond)[order][:NAMED]
    pairs = rows["pair_id"].take(pa.array(worst)).to_pylist()
    named = ", ".join(f"{pair} ({as_said(values[number])})" for pair, number in zip(pairs, worst, strict=True))
    count = int(beyond.sum())
    more = f" and {count - len(worst)} more" if count > len(worst) else ""
    unknown = int(np.isnan(values[beyond]).sum())
    why = f"; unknown of {unknown}, whose label map shows no garment of this category" if unknown else ""
    head = f"  {limit.key} {getattr(limits, limit.key):g}: {count} rows beyond it, the worst first{why}"
    return [head, *textwrap.wrap(named + more, _WIDTH, initial_indent="    ", subsequent_indent="    ")]


def _rounded(value: float, up: bool) -> str:
    """At most three significant digits, never to the wrong side and never beyond 0 and 1."""
    step = 10.0 ** (np.floor(np.log10(value)) + 1 - _DIGITS) if value > 0 else 1.0
    steps = np.ceil(value / step - 1e-9) if up else np.floor(value / step + 1e-9)
    return f"{min(max(float(steps * step), 0.0), 1.0):.{_DIGITS}g}"
