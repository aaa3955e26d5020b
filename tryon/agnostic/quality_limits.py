"""Enforce `agnostic.quality_limits`: find violations in the audit, quarantine their rows, and build the error."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute
from numpy.typing import NDArray

from tryon.agnostic.plan import MaskPlan
from tryon.categories import Category
from tryon.config.agnostic import QualityLimits
from tryon.errors import TryOnError
from tryon.manifest.schemas import STATUS_OK, STATUS_QUARANTINED

pc: Any = pyarrow.compute  # its functions are generated at run time


class QualityRule(NamedTuple):
    """A bound on one column of the manifest.

    Args:
        key: in `agnostic.quality_limits`.
        column: of the manifest.
        is_maximum: whether the bound is a maximum or a minimum.
        requires_value: whether an unknown value violates the rule, unless the bound is 1.
    """

    key: str
    column: str
    is_maximum: bool
    requires_value: bool = False


QUALITY_RULES = (
    QualityRule("max_leak_fraction", "leak_fraction", True, requires_value=True),
    QualityRule("max_protected_fraction", "protected_fraction", True),
    QualityRule("min_mask_fraction", "mask_fraction", False),
    QualityRule("max_mask_fraction", "mask_fraction", True),
)

Violations = dict[str, NDArray[np.bool_]]
"""By the key of each rule: the rows that violate it."""

MAX_NAMED_ROWS = 12
"""Rows named in the error for each rule."""

_NO_GARMENT = "the label map shows no garment of this category, so the leak is unknown"
_LINE_WIDTH = 110
_DIGITS = 3  # of a limit proposed in the error

_OFFICIAL_HINT = (
    "The method dresscode-official leaves skirts and belts visible and masks chins, as its original does; to accept "
    "that, set max_leak_fraction and max_protected_fraction to 1 and min_mask_fraction to 0."
)


class MaskQualityError(TryOnError):
    """More masks violate `agnostic.quality_limits` than `max_rejected_fraction` allows."""


def find_violations(rows: pa.Table, limits: QualityLimits) -> Violations:
    """Find the usable rows that violate each rule.

    Unknown values are accepted, except for the leak: a mask that may not cover the garment is not usable.
    """
    usable = status_is_ok(rows)
    return {rule.key: usable & _violates(column_values(rows, rule.column), rule, limits) for rule in QUALITY_RULES}


def violated_columns(numbers: Mapping[str, float | None], limits: QualityLimits) -> frozenset[str]:
    """Return the columns of one audit that violate a rule."""
    values = {name: np.float32(np.nan if value is None else value) for name, value in numbers.items()}
    return frozenset(rule.column for rule in QUALITY_RULES if _violates(values[rule.column], rule, limits))


def _violates(value: Any, rule: QualityRule, limits: QualityLimits) -> Any:
    """Compare a value, or a column of values, with a bound; NaN means unknown."""
    bound = np.float32(getattr(limits, rule.key))  # the precision of the audit
    violates = value > bound if rule.is_maximum else value < bound
    return violates | np.isnan(value) if rule.requires_value and bound < 1 else violates


def any_violation(violations: Violations) -> NDArray[np.bool_]:
    """Return the rows that violate any rule."""
    return np.logical_or.reduce(list(violations.values()))


def exceeds_rejected_fraction(rows: pa.Table, violations: Violations, limits: QualityLimits) -> bool:
    """Return whether a larger fraction of the usable rows has violations than may be quarantined."""
    bad, usable = int(any_violation(violations).sum()), int(status_is_ok(rows).sum())
    return bad > 0 and bad / usable > limits.max_rejected_fraction


def status_is_ok(rows: pa.Table) -> NDArray[np.bool_]:
    """Return which rows are usable."""
    return np.asarray(pc.equal(rows["status"], STATUS_OK), np.bool_)


def column_values(rows: pa.Table, column: str) -> NDArray[np.float32]:
    """Return a column of the audit, NaN where unknown."""
    return rows[column].to_numpy()


def quarantine(rows: pa.Table, violations: Violations) -> pa.Table:
    """Quarantine the rows with violations, with the reason."""
    bad = any_violation(violations)
    if not bad.any():
        return rows
    reasons: list[str | None] = [None] * rows.num_rows
    for rule in QUALITY_RULES:
        values = column_values(rows, rule.column)
        for number in np.flatnonzero(violations[rule.key]):
            reason = f"{rule.column} {_format_value(values[number])} violates agnostic.quality_limits.{rule.key}"
            reason += f" ({_NO_GARMENT})" if np.isnan(values[number]) else ""
            earlier = reasons[number]
            reasons[number] = f"{earlier}; {reason}" if earlier else f"mask: {reason}"
    status = pc.if_else(pa.array(bad), STATUS_QUARANTINED, rows["status"])
    rows = rows.set_column(rows.column_names.index("status"), rows.schema.field("status"), status)
    reason = pc.coalesce(pa.array(reasons, pa.string()), rows["reason"])
    return rows.set_column(rows.column_names.index("reason"), rows.schema.field("reason"), reason)


def require_usable_rows(category: Category, rows: pa.Table) -> None:
    """Check that at least one row is usable, if there are any.

    Raises:
        TryOnError: all are quarantined; the most frequent reasons are named.
    """
    if not rows.num_rows or status_is_ok(rows).any():
        return
    values = re.compile(r" (\d\S*|unknown)(?= violates)")  # without values, equal reasons can be counted
    reasons = Counter(values.sub("", reason or "") for reason in rows["reason"].to_pylist()).most_common(3)
    raise TryOnError(
        f"all {rows.num_rows} rows of {category} are quarantined",
        found="; ".join(f"{count} x {reason}" for reason, count in reasons),
        hint=f"Check data/index and agnostic.quality_limits; `tryon agnostic {category} --preview 6` shows masks.",
    )


def build_error(mask_plan: MaskPlan, rows: pa.Table, violations: Violations, image: str) -> MaskQualityError:
    """Build the error that names the worst rows of each violated rule, and the limits that would accept them."""
    limits, category = mask_plan.settings.quality_limits, mask_plan.category
    violated = [rule for rule in QUALITY_RULES if violations[rule.key].any()]
    bad, usable = int(any_violation(violations).sum()), int(status_is_ok(rows).sum())
    details = [line for rule in violated for line in _describe_violations(rule, rows, violations[rule.key], limits)]
    accepting = [
        f"    {rule.key}: {passing_threshold(rule, column_values(rows, rule.column)[violations[rule.key]])}"
        for rule in violated
    ]
    hint = [
        f"See the worst masks in {image}. Then, in section agnostic.quality_limits of params.yaml,",
        "  to use all these rows, set",
        *accepting,
        "  or to quarantine them, set",
        f"    max_rejected_fraction: {_round_for_yaml(bad / usable, up=True)}",
        f"and run `tryon agnostic {category}` again, which reuses the masks.",
        *(textwrap.wrap(_OFFICIAL_HINT, _LINE_WIDTH) if mask_plan.settings.method == "dresscode-official" else ()),
    ]
    allowed = f"{100 * limits.max_rejected_fraction:g} %"
    summary = f"{bad} of {usable} rows of {category} violate agnostic.quality_limits, more than the allowed {allowed}"
    return MaskQualityError("\n".join([summary, *details]), hint="\n".join(hint))


def passing_threshold(rule: QualityRule, values: NDArray[np.float32]) -> str:
    """Return the bound, rounded to the accepting side, with which these values pass."""
    if np.isnan(values).any():
        return "1"
    return _round_for_yaml(float(values.max() if rule.is_maximum else values.min()), rule.is_maximum)


def _describe_violations(
    rule: QualityRule, rows: pa.Table, violating: NDArray[np.bool_], limits: QualityLimits
) -> list[str]:
    """Format the number of violations of a rule, and the worst rows."""
    values = column_values(rows, rule.column)
    order = np.argsort(-values[violating] if rule.is_maximum else values[violating], kind="stable")  # NaN last
    worst = np.flatnonzero(violating)[order][:MAX_NAMED_ROWS]
    pairs = rows["pair_id"].take(pa.array(worst)).to_pylist()
    named = ", ".join(f"{pair} ({_format_value(values[number])})" for pair, number in zip(pairs, worst, strict=True))
    count, unknown = int(violating.sum()), int(np.isnan(values[violating]).sum())
    more = f" and {count - len(worst)} more" if count > len(worst) else ""
    why = f"; unknown for {unknown}, whose label map shows no garment of this category" if unknown else ""
    head = f"  {rule.key} {getattr(limits, rule.key):g}: {count} rows, the worst first{why}"
    return [head, *textwrap.wrap(named + more, _LINE_WIDTH, initial_indent="    ", subsequent_indent="    ")]


def _format_value(value: np.floating | NDArray[np.floating]) -> str:
    return "unknown" if np.isnan(value) else f"{value:.4g}"


def _round_for_yaml(value: float, up: bool) -> str:
    """Round to three significant digits, up or down, within 0 and 1."""
    step = 10.0 ** (np.floor(np.log10(value)) + 1 - _DIGITS) if value > 0 else 1.0
    steps = np.ceil(value / step - 1e-9) if up else np.floor(value / step + 1e-9)
    return f"{min(max(float(steps * step), 0.0), 1.0):.{_DIGITS}g}"
