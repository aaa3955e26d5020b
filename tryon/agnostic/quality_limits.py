"""The limits of the audit: which rows are beyond them, and how these are set aside."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute
from numpy.typing import NDArray

from tryon.agnostic.plan import Plan
from tryon.categories import Category
from tryon.config.agnostic import LimitSettings
from tryon.errors import TryOnError
from tryon.manifest.schemas import STATUS_OK, STATUS_QUARANTINED

pc: Any = pyarrow.compute  # most of its functions are made at run time, out of sight of a type checker


class Limit(NamedTuple):
    """One rule.

    Args:
        key: in `agnostic.limits`.
        column: of the manifest.
        most: whether the value is the largest allowed, else the smallest.
        known: whether the number must be known. Where it is not, the row is beyond any limit but 1, which is none.
    """

    key: str
    column: str
    most: bool
    known: bool = False


LIMITS = (
    Limit("max_leak_fraction", "leak_fraction", True, known=True),
    Limit("max_protected_fraction", "protected_fraction", True),
    Limit("min_mask_fraction", "mask_fraction", False),
    Limit("max_mask_fraction", "mask_fraction", True),
)

NO_GARMENT = "the label map shows no garment of this category, so what is left visible cannot be known"


class BeyondLimitsError(TryOnError):
    """The audit of the masks found more than `agnostic.limits` allows; see `limits_told.error_of`."""


def beyond(rows: pa.Table, limits: LimitSettings) -> dict[str, NDArray[np.bool_]]:
    """By the key of each limit: which good rows are beyond it.

    What the audit does not know is within, but for the leak: a row of which nobody can say whether its garment is
    hidden is a bad row.
    """
    good = status_is_ok(rows)
    return {limit.key: good & _is_beyond(numbers_of(rows, limit.column), limit, limits) for limit in LIMITS}


def faults_of(numbers: Mapping[str, float | None], limits: LimitSettings) -> frozenset[str]:
    """Columns of one audit that are beyond a limit."""
    return frozenset(
        limit.column
        for limit in LIMITS
        if _is_beyond(np.float32(np.nan if (value := numbers[limit.column]) is None else value), limit, limits)
    )


def set_aside(rows: pa.Table, found: dict[str, NDArray[np.bool_]], limits: LimitSettings) -> pa.Table:
    """The rows, those beyond a limit quarantined with the reason."""
    bad = any_of(found)
    if not bad.any():
        return rows
    reasons: list[str | None] = [None] * rows.num_rows
    for limit in LIMITS:
        values = numbers_of(rows, limit.column)
        for number in np.flatnonzero(found[limit.key]):
            own = reasons[number]
            said = f"{limit.column} {as_said(values[number])} is beyond agnostic.limits.{limit.key}"
            said += f" ({NO_GARMENT})" if np.isnan(values[number]) else ""
            reasons[number] = f"{own}; {said}" if own else f"mask: {said}"
    status = pc.if_else(pa.array(bad), STATUS_QUARANTINED, rows["status"])
    rows = rows.set_column(rows.column_names.index("status"), rows.schema.field("status"), status)
    reason = pc.coalesce(pa.array(reasons, pa.string()), rows["reason"])
    return rows.set_column(rows.column_names.index("reason"), rows.schema.field("reason"), reason)


def too_many(rows: pa.Table, found: dict[str, NDArray[np.bool_]], limits: LimitSettings) -> bool:
    """Whether more of the good rows are beyond a limit than may be set aside."""
    bad, good = int(any_of(found).sum()), int(status_is_ok(rows).sum())
    return bad > 0 and bad / good > limits.max_bad_fraction


def any_of(found: dict[str, NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Rows beyond any limit."""
    return np.logical_or.reduce(list(found.values()))


def status_is_ok(rows: pa.Table) -> NDArray[np.bool_]:
    """Which rows may be used."""
    return np.asarray(pc.equal(rows["status"], STATUS_OK), np.bool_)


def numbers_of(rows: pa.Table, column: str) -> NDArray[np.float32]:
    """A column of the audit; NaN where it knows nothing."""
    return rows[column].to_numpy()


def _is_beyond(value: Any, limit: Limit, limits: LimitSettings) -> Any:
    """One number or a column of them; NaN, not known, is beyond only a limit that demands it to be known."""
    bound = np.float32(getattr(limits, limit.key))  # the audit's own precision
    beyond = value > bound if limit.most else value < bound
    return beyond | np.isnan(value) if limit.known and bound < 1 else beyond


def as_said(value: np.floating | NDArray[np.floating]) -> str:
    """A number of the audit in a message."""
    return "unknown" if np.isnan(value) else f"{value:.4g}"


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
