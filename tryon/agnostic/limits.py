"""The limits of the audit: which rows are beyond them, and how these are set aside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute
from numpy.typing import NDArray

from tryon.agnostic.settings import LimitSettings
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
