"""The limits of the audit: which rows are beyond them, and what is said when these are too many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute
from numpy.typing import NDArray

from tryon.agnostic.plan import Plan
from tryon.agnostic.settings import LimitSettings
from tryon.errors import TryOnError
from tryon.manifest.schemas import STATUS_OK, STATUS_QUARANTINED

pc: Any = pyarrow.compute  # most of its functions are made at run time, out of sight of a type checker

NAMED = 12
"""Rows that the message names."""


class Limit(NamedTuple):
    """One rule.

    Args:
        key: in `agnostic.limits`.
        column: of the manifest.
        most: whether the value is the largest allowed, else the smallest.
    """

    key: str
    column: str
    most: bool


LIMITS = (
    Limit("max_leak_fraction", "leak_fraction", True),
    Limit("max_protected_fraction", "protected_fraction", True),
    Limit("min_mask_fraction", "mask_fraction", False),
    Limit("max_mask_fraction", "mask_fraction", True),
)

LEAKS_BY_DESIGN = (
    " The recipe dresscode-official leaves skirts and belts visible and hides chins, as its original does: whoever"
    " wants such masks sets the limits by hand."
)


class BeyondLimitsError(TryOnError):
    """The audit of the masks found more than `agnostic.limits` allows."""


def beyond(rows: pa.Table, limits: LimitSettings) -> dict[str, NDArray[np.bool_]]:
    """By the key of each limit: which good rows are beyond it. What the audit does not know is within."""
    good = status_is_ok(rows)
    return {limit.key: good & _is_beyond(numbers_of(rows, limit.column), limit, limits) for limit in LIMITS}


def faults_of(numbers: Mapping[str, float | None], limits: LimitSettings) -> frozenset[str]:
    """Columns of one audit that are beyond a limit."""
    return frozenset(
        limit.column
        for limit in LIMITS
        if (value := numbers[limit.column]) is not None and _is_beyond(np.float32(value), limit, limits)
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
            said = f"{limit.column} {values[number]:.4g} is beyond agnostic.limits.{limit.key}"
            reasons[number] = f"{own}; {said}" if own else f"mask: {said}"
    status = pc.if_else(pa.array(bad), STATUS_QUARANTINED, rows["status"])
    rows = rows.set_column(rows.column_names.index("status"), rows.schema.field("status"), status)
    reason = pc.coalesce(pa.array(reasons, pa.string()), rows["reason"])
    return rows.set_column(rows.column_names.index("reason"), rows.schema.field("reason"), reason)


def too_many(rows: pa.Table, found: dict[str, NDArray[np.bool_]], limits: LimitSettings) -> bool:
    """Whether more of the good rows are beyond a limit than may be set aside."""
    bad, good = int(any_of(found).sum()), int(status_is_ok(rows).sum())
    return bad > limits.max_bad_fraction * good


def error_of(planned: Plan, rows: pa.Table, found: dict[str, NDArray[np.bool_]], picture: str) -> BeyondLimitsError:
    """One message: how many rows, beyond which limit, the worst of them with their values, and what to do.

    Args:
        planned: the run.
        rows: as given to `beyond`.
        found: what it gave.
        picture: path of a picture that shows the worst.
    """
    limits, bad = planned.settings.limits, any_of(found)
    told = [_told(limit, rows, found[limit.key], limits) for limit in LIMITS if found[limit.key].any()]
    moves = [f"{'raise' if limit.most else 'lower'} {limit.key}" for limit in LIMITS if found[limit.key].any()]
    count, good = int(bad.sum()), int(status_is_ok(rows).sum())
    remedy = (
        f"Look at {picture}, where the worst are drawn. Then {' and '.join(moves)} in section agnostic.limits of"
        f" params.yaml to use these rows, or raise max_bad_fraction to {np.ceil(1000 * count / good) / 1000:g} to set"
        f" them aside, and run `tryon agnostic {planned.category}` again, which uses the masks made so far."
    )
    return BeyondLimitsError(
        f"{count} of {good} rows of {planned.category} have a mask beyond agnostic.limits",
        rule=f"at most {100 * limits.max_bad_fraction:g} % of rows may; " + "; ".join(told),
        remedy=remedy + (LEAKS_BY_DESIGN if planned.settings.recipe == "dresscode-official" else ""),
    )


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
    """One number or a column of them; NaN is beyond nothing."""
    bound = np.float32(getattr(limits, limit.key))  # the audit's own precision
    return value > bound if limit.most else value < bound


def _told(limit: Limit, rows: pa.Table, beyond: NDArray[np.bool_], limits: LimitSettings) -> str:
    values = numbers_of(rows, limit.column)
    order = np.argsort(-values[beyond] if limit.most else values[beyond], kind="stable")
    worst = np.flatnonzero(beyond)[order][:NAMED]
    pairs = rows["pair_id"].take(pa.array(worst)).to_pylist()
    named = ", ".join(f"{pair} ({values[number]:.4g})" for pair, number in zip(pairs, worst, strict=True))
    more = int(beyond.sum()) - len(worst)
    return f"{limit.key} {getattr(limits, limit.key):g}: {named}" + (f" and {more} more" if more else "")
