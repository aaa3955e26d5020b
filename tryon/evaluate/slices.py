"""Score slices of the test rows: category, sleeve, pose, pattern, mask size.

Every mean has a bootstrap interval. The worst slices are those whose error inside the garment exceeds the error on all
rows the most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tryon.categories import ALL, Category
from tryon.loading.packed_dataset import PackedDataset
from tryon.runtime.number_format import round_or_none
from tryon.scoring.bootstrap import MIN_ROWS, Interval, intervals
from tryon.scoring.compare import PRIMARY_METRIC
from tryon.scoring.row_scores import RowScores
from tryon.scoring.saved_scores import MODEL

NUM_WORST = 3
MIN_SLICE_ROWS = 2 * MIN_ROWS
"""Smaller slices are not reported as worst, since a few hard rows dominate their mean."""

MASK_BOUNDS = (0.25, 0.4, 0.5)
"""Masked fractions of the image that separate the mask sizes."""

MASK_SIZES = ("below 25 %", "25 to 40 %", "40 to 50 %", "above 50 %")

MISSING_JOINTS = ("none", "1 to 4", "5 and more")

PATTERN_FAMILIES: dict[str, str] = {
    "plain": "plain",
    **dict.fromkeys(("stripes", "two_stripes", "uneven_stripes", "pinstripes", "breton", "chevron"), "striped"),
    **dict.fromkeys(("checks", "gingham", "plaid", "tartan", "windowpane", "argyle", "houndstooth"), "checked"),
    "dots": "dotted",
    "floral": "floral",
    **dict.fromkeys(("blocks", "logo", "emblem", "icons", "camouflage", "animal"), "printed"),
    "lettering": "lettered",
}
"""Families of the synthetic data set's patterns. Repeated because scoring does not depend on rendering."""


@dataclass(frozen=True)
class Dimension:
    """One way to partition the rows.

    Args:
        title: heading of its chart.
        values: in chart order; values not listed come last, sorted.
    """

    title: str
    values: tuple[str, ...]


DIMENSIONS: dict[str, Dimension] = {
    "category": Dimension("Category", tuple(map(str, Category))),
    "worn": Dimension("Garment type", ("top", "trousers", "skirt", "dress")),
    "sleeve": Dimension("Sleeve", ("sleeveless", "short", "long")),
    "arm_pose": Dimension("Arm pose", ("side", "bent", "crossed or hidden")),
    "missing_joints": Dimension("Missing joints", MISSING_JOINTS),
    "neckline": Dimension("Neckline", ()),
    "pattern": Dimension(
        "Pattern (recorded)", ("plain", "striped", "checked", "dotted", "floral", "printed", "lettered")
    ),
    "texture": Dimension("Texture (measured)", ("plain", "striped", "printed")),
    "mask_size": Dimension("Masked area", MASK_SIZES),
}
"""Partitions of the rows. A row whose value is unknown belongs to no slice of a dimension."""

Values = dict[str, list[str | None]]
"""Dimension to the value of every row, None where unknown."""

Slice = dict[str, Interval]
"""Metric key to mean and interval."""

Slices = dict[str, dict[str, Slice]]
"""Dimension → value → slice; the dimension `category` also has the value `all`."""

_SLICE_COLUMNS = ("pair_id", "category", "worn", "sleeve", "arm_pose", "missing_joints", "neckline", "pattern")


def slice_values(rows: PackedDataset, textures: Mapping[str, str | None]) -> Values:
    """Return the value of every row in every dimension, by category as in `RowScores`.

    Args:
        rows: of one setting, with the slice columns and masks.
        textures: texture of the garment by pair id.
    """
    parts = [_category_values(rows.select_category(category), textures) for category in Category]
    return {name: [value for part in parts for value in part[name]] for name in DIMENSIONS}


def _category_values(rows: PackedDataset, textures: Mapping[str, str | None]) -> Values:
    columns = {name: rows.table.column(name).to_pylist() for name in _SLICE_COLUMNS}
    return {
        **{name: columns[name] for name in ("category", "worn", "sleeve", "neckline")},
        "arm_pose": ["crossed or hidden" if pose in ("crossed", "hidden") else pose for pose in columns["arm_pose"]],
        "missing_joints": [None if count is None else missing_joints(count) for count in columns["missing_joints"]],
        "pattern": [PATTERN_FAMILIES.get(pattern) for pattern in columns["pattern"]],
        "texture": [textures.get(pair) for pair in columns["pair_id"]],
        "mask_size": [mask_size(float(rows.mask("mask", row).mean())) for row in range(len(rows))],
    }


def missing_joints(count: int) -> str:
    """Return the slice of a number of missing key points."""
    return MISSING_JOINTS[0] if count == 0 else MISSING_JOINTS[1] if count < 5 else MISSING_JOINTS[2]


def mask_size(fraction: float) -> str:
    """Return the slice of a fraction of masked pixels, 0..1."""
    return MASK_SIZES[int(np.searchsorted(MASK_BOUNDS, fraction, side="right"))]


def slice_scores(scores: RowScores, setting: str, method: str, values: Values, seed: int) -> Slices:
    """Compute mean and interval of every metric in every slice.

    Args:
        setting: of the rows in `values`.
        values: of every row, from `slice_values`, or some of its dimensions.
        seed: of the bootstrap.

    Returns:
        Slices and metrics that have a score; empty when no row has ground truth.
    """
    matrix = scores.matrix(setting, method)
    columns = np.flatnonzero(np.isfinite(matrix).any(axis=0))
    keys = [scores.keys[column] for column in columns]
    if not keys:
        return {}
    groups = [("category", ALL), *((name, value) for name in values for value in _chart_order(name, values[name]))]
    membership = np.array([[value in (ALL, row) for row in values[name]] for name, value in groups], np.bool_)
    rows = intervals(matrix[:, columns], membership.reshape(len(groups), -1).T, seed)
    slices: Slices = {}
    for (name, value), row in zip(groups, rows, strict=True):
        scored = {key: interval for key, interval in zip(keys, row, strict=True) if interval is not None}
        if scored:
            slices.setdefault(name, {})[value] = scored
    return slices


def _chart_order(name: str, values: Sequence[str | None]) -> list[str]:
    present = {value for value in values if value is not None}
    known = [value for value in DIMENSIONS[name].values if value in present]
    return [*known, *sorted(present - set(known))]


@dataclass(frozen=True)
class WorstSlice:
    """A slice whose error inside the garment is larger than on all rows."""

    dimension: str
    value: str
    interval: Interval
    overall: float

    @property
    def significant(self) -> bool:
        """Whether the interval is entirely above the mean of all rows."""
        return self.interval.low is not None and bool(self.interval.low > self.overall)

    @property
    def ratio(self) -> float:
        """Error in the slice divided by the error on all rows."""
        return self.interval.mean / self.overall if self.overall else float("inf")


def worst_slices(slices: Slices, count: int = NUM_WORST) -> list[WorstSlice]:
    """Return the slices with the largest error inside the garment, significant ones first.

    Excludes slices of fewer than `MIN_SLICE_ROWS` rows, slices no worse than all rows, and slices of the same rows as
    a previous one (all dresses have the garment type dress).
    """
    if PRIMARY_METRIC not in slices.get("category", {}).get(ALL, {}):
        return []
    overall = slices["category"][ALL][PRIMARY_METRIC]
    worse = [
        WorstSlice(name, value, scored[PRIMARY_METRIC], overall.mean)
        for name, dimension in slices.items()
        for value, scored in dimension.items()
        if PRIMARY_METRIC in scored
        and scored[PRIMARY_METRIC].rows >= MIN_SLICE_ROWS
        and scored[PRIMARY_METRIC].mean > overall.mean
    ]
    worse.sort(key=lambda each: (not each.significant, -each.interval.mean))
    distinct: dict[tuple[float, int], WorstSlice] = {}
    for each in worse:
        distinct.setdefault((each.interval.mean, each.interval.rows), each)
    return list(distinct.values())[:count]


def slices_to_dict(slices: Mapping[str, Mapping[str, Slices]]) -> dict[str, Any]:
    """Return the content of `slices.json`: setting → method → dimension → value → rows, and key → [mean, low, high]."""
    return {
        setting: {
            method: {
                name: {value: _slice_to_dict(scored) for value, scored in values.items()}
                for name, values in dimensions.items()
            }
            for method, dimensions in methods.items()
        }
        for setting, methods in slices.items()
    }


def _slice_to_dict(scored: Slice) -> dict[str, Any]:
    rows = max(interval.rows for interval in scored.values())
    return {"rows": rows, **{key: [round_or_none(x) for x in interval[:3]] for key, interval in scored.items()}}


def summary_slices(slices: Mapping[str, Mapping[str, Slices]]) -> dict[str, Any]:
    """Return the model's error inside the garment in every slice, for `metrics.json`."""
    return {
        setting: {
            name: {
                value: interval_to_dict(scored[PRIMARY_METRIC])
                for value, scored in values.items()
                if PRIMARY_METRIC in scored
            }
            for name, values in methods.get(MODEL, {}).items()
        }
        for setting, methods in slices.items()
        if methods.get(MODEL)
    }


def interval_to_dict(interval: Interval) -> dict[str, float | int | None]:
    """Return mean, ends and number of rows."""
    ends = {name: round_or_none(getattr(interval, name)) for name in ("mean", "low", "high")}
    return {**ends, "rows": interval.rows}


def worst_slices_to_list(setting: str, slices: Sequence[WorstSlice]) -> list[dict[str, Any]]:
    """Return the worst slices for `metrics.json`."""
    return [
        {
            "setting": setting,
            "dimension": each.dimension,
            "value": each.value,
            **interval_to_dict(each.interval),
            "ratio": round(each.ratio, 4),
            "significant": each.significant,
        }
        for each in slices
    ]


def summary_setting(slices: Mapping[str, Mapping[str, Slices]]) -> str | None:
    """Return unpaired if it has ground truth, else paired; None without any ground truth."""
    return next((setting for setting in ("unpaired", "paired") if slices.get(setting, {}).get(MODEL)), None)
