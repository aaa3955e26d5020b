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

from tryon.agnostic.plan import MaskPlan
from tryon.categories import Category
from tryon.config.agnostic import LimitSettings
from tryon.errors import TryOnError
from tryon.manifest.schemas import STATUS_OK, STATUS_QUARANTINED

pc: Any = pyarrow.compute  # most of its functions are made at run time, out of sight of a type checker


class QualityRule(NamedTuple):
    """One rule.

    Args:
        key: in `agnostic.quality_limits`.
        column: of the manifest.
        is_maximum: whether the value is the largest allowed, else the smallest.
        known: whether the number must be known. Where it is not, the row is beyond any limit but 1, which is none.
    """

    key: str
    column: str
    is_maximum: bool
    known: bool = False


LIMITS = (
    QualityRule("max_leak_fraction", "leak_fraction", True, known=True),
    QualityRule("max_protected_fraction", "protected_fraction", True),
    QualityRule("min_mask_fraction", "mask_fraction", False),
    QualityRule("max_mask_fraction", "mask_fraction", True),
)

NO_GARMENT = "the label map shows no garment of this category, so what is left visible cannot be known"


class MaskQualityError(TryOnError):
    """The audit of the masks found more than `agnostic.quality_limits` allows; see `limits_told.error_of`."""


def find_violations(rows: pa.Table, limits: LimitSettings) -> dict[str, NDArray[np.bool_]]:
    """By the key of each limit: which good rows are beyond it.

    What the audit does not know is within, but for the leak: a row of which nobody can say whether its garment is
    hidden is a bad row.
    """
    good = status_is_ok(rows)
    return {limit.key: good & _violates(column_values(rows, limit.column), limit, limits) for limit in LIMITS}


def violated_columns(numbers: Mapping[str, float | None], limits: LimitSettings) -> frozenset[str]:
    """Columns of one audit that are beyond a limit."""
    return frozenset(
        limit.column
        for limit in LIMITS
        if _violates(np.float32(np.nan if (value := numbers[limit.column]) is None else value), limit, limits)
    )


def quarantine(rows: pa.Table, found: dict[str, NDArray[np.bool_]], limits: LimitSettings) -> pa.Table:
    """The rows, those beyond a limit quarantined with the reason."""
    bad = any_violation(found)
    if not bad.any():
        return rows
    reasons: list[str | None] = [None] * rows.num_rows
    for limit in LIMITS:
        values = column_values(rows, limit.column)
        for number in np.flatnonzero(found[limit.key]):
            own = reasons[number]
            said = f"{limit.column} {format_reason(values[number])} is beyond agnostic.limits.{limit.key}"
            said += f" ({NO_GARMENT})" if np.isnan(values[number]) else ""
            reasons[number] = f"{own}; {said}" if own else f"mask: {said}"
    status = pc.if_else(pa.array(bad), STATUS_QUARANTINED, rows["status"])
    rows = rows.set_column(rows.column_names.index("status"), rows.schema.field("status"), status)
    reason = pc.coalesce(pa.array(reasons, pa.string()), rows["reason"])
    return rows.set_column(rows.column_names.index("reason"), rows.schema.field("reason"), reason)


def exceeds_rejected_fraction(rows: pa.Table, found: dict[str, NDArray[np.bool_]], limits: LimitSettings) -> bool:
    """Whether more of the good rows are beyond a limit than may be set aside."""
    bad, good = int(any_violation(found).sum()), int(status_is_ok(rows).sum())
    return bad > 0 and bad / good > limits.max_rejected_fraction


def any_violation(found: dict[str, NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Rows beyond any limit."""
    return np.logical_or.reduce(list(found.values()))


def status_is_ok(rows: pa.Table) -> NDArray[np.bool_]:
    """Which rows may be used."""
    return np.asarray(pc.equal(rows["status"], STATUS_OK), np.bool_)


def column_values(rows: pa.Table, column: str) -> NDArray[np.float32]:
    """A column of the audit; NaN where it knows nothing."""
    return rows[column].to_numpy()


def _violates(value: Any, limit: QualityRule, limits: LimitSettings) -> Any:
    """One number or a column of them; NaN, not known, is beyond only a limit that demands it to be known."""
    bound = np.float32(getattr(limits, limit.key))  # the audit's own precision
    beyond = value > bound if limit.is_maximum else value < bound
    return beyond | np.isnan(value) if limit.known and bound < 1 else beyond


def format_reason(value: np.floating | NDArray[np.floating]) -> str:
    """A number of the audit in a message."""
    return "unknown" if np.isnan(value) else f"{value:.4g}"


MAX_NAMED_ROWS = 12
"""Rows that the message names for each limit."""

_WIDTH = 110
"""Letters in a line of the message."""

_DIGITS = 3
"""Significant digits of a limit that the message proposes."""

LEAKS_BY_DESIGN = (
    "The recipe dresscode-official leaves skirts and belts visible and hides chins, as its original does. Whoever wants"
    " such masks sets max_leak_fraction and max_protected_fraction to 1 and min_mask_fraction to 0."
)


def require_usable_rows(category: Category, rows: pa.Table) -> None:
    """Make sure that a category that has rows keeps some.

    Raises:
        TryOnError: all are set aside; the most frequent reasons are told.
    """
    if not rows.num_rows or status_is_ok(rows).any():
        return
    values = re.compile(r" (\d\S*|unknown)(?= is beyond)")  # without them many rows have the same reason
    reasons = Counter(values.sub("", reason or "") for reason in rows["reason"].to_pylist()).most_common(3)
    told = "; ".join(f"{count} x {reason}" for reason, count in reasons)
    remedy = f"See why, in data/index and in agnostic.quality_limits of params.yaml; `tryon agnostic {category} --preview 6` draws."
    raise TryOnError(
        f"all {rows.num_rows} rows of {category}", expected="are set aside, and none is left", found=told, hint=remedy
    )


def build_error(planned: MaskPlan, rows: pa.Table, found: dict[str, NDArray[np.bool_]], image: str) -> MaskQualityError:
    """One message in lines: how many rows, for each limit the worst with their values, and what to do.

    Args:
        planned: the run.
        rows: as given to `beyond`.
        found: what it gave.
        image: path of a image that shows the worst.
    """
    limits = planned.settings.quality_limits
    broken = [limit for limit in LIMITS if found[limit.key].any()]
    count, good = int(any_violation(found).sum()), int(status_is_ok(rows).sum())
    told = [line for limit in broken for line in _describe_violations(limit, rows, found[limit.key], limits)]
    enough = [
        f"    {limit.key}: {passing_threshold(limit, column_values(rows, limit.column)[found[limit.key]])}"
        for limit in broken
    ]
    remedy = [
        f"Look at {image}, where the worst are drawn. Then, in section agnostic.quality_limits of params.yaml,",
        "  to use all these rows, set",
        *enough,
        "  or to set them aside, set",
        f"    max_rejected_fraction: {_round_for_yaml(count / good, up=True)}",
        f"and run `tryon agnostic {planned.category}` again, which uses the masks made so far.",
        *(textwrap.wrap(LEAKS_BY_DESIGN, _WIDTH) if planned.settings.method == "dresscode-official" else ()),
    ]
    return MaskQualityError(
        f"{count} of {good} rows of {planned.category} have a mask beyond agnostic.quality_limits",
        expected="\n".join([f"at most {100 * limits.max_rejected_fraction:g} % of rows may", *told]),
        hint="\n".join(remedy),
    )


def passing_threshold(limit: QualityRule, values: NDArray[np.float32]) -> str:
    """The value of a limit, rounded to the side where it holds, that lets rows of these values pass."""
    if np.isnan(values).any():
        return "1"
    return _round_for_yaml(float(values.max() if limit.is_maximum else values.min()), limit.is_maximum)


def _describe_violations(
    limit: QualityRule, rows: pa.Table, beyond: NDArray[np.bool_], limits: LimitSettings
) -> Sequence[str]:
    """Lines about one limit: how many rows are beyond it, and which are so the farthest."""
    values = column_values(rows, limit.column)
    order = np.argsort(
        -values[beyond] if limit.is_maximum else values[beyond], kind="stable"
    )  # what is not known comes last
    worst = np.flatnonzero(beyond)[order][:MAX_NAMED_ROWS]
    pairs = rows["pair_id"].take(pa.array(worst)).to_pylist()
    named = ", ".join(f"{pair} ({format_reason(values[number])})" for pair, number in zip(pairs, worst, strict=True))
    count = int(beyond.sum())
    more = f" and {count - len(worst)} more" if count > len(worst) else ""
    unknown = int(np.isnan(values[beyond]).sum())
    why = f"; unknown of {unknown}, whose label map shows no garment of this category" if unknown else ""
    head = f"  {limit.key} {getattr(limits, limit.key):g}: {count} rows beyond it, the worst first{why}"
    return [head, *textwrap.wrap(named + more, _WIDTH, initial_indent="    ", subsequent_indent="    ")]


def _round_for_yaml(value: float, up: bool) -> str:
    """At most three significant digits, never to the wrong side and never beyond 0 and 1."""
    step = 10.0 ** (np.floor(np.log10(value)) + 1 - _DIGITS) if value > 0 else 1.0
    steps = np.ceil(value / step - 1e-9) if up else np.floor(value / step + 1e-9)
    return f"{min(max(float(steps * step), 0.0), 1.0):.{_DIGITS}g}"
