"""Test rows by what they show (category, sleeve, pose, pattern, mask and so on), and how good the model is on each.

Every slice's mean has its bootstrap interval; the weakest are those whose error inside the garment lies farthest above
the error on all rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tryon.categories import Category
from tryon.evaluate.summary import KEY, MODEL
from tryon.loading.packed_dataset import PackedDataset
from tryon.scoring.bootstrap import MIN_ROWS, Interval, intervals
from tryon.scoring.row_scores import ALL, RowScores

DECIMALS = 6
WEAKEST = 3
LEAST_ROWS = 2 * MIN_ROWS
"""Rows below which a slice is not called weak: a few hard rows make any slice look so."""

MASK_BOUNDS = (0.25, 0.4, 0.5)
"""Shares of the image hidden at which one slice of mask size ends and the next begins."""

MASK_SIZES = ("below 25 %", "25 to 40 %", "40 to 50 %", "above 50 %")

MISSING = ("none", "1 to 4", "5 and more")

FAMILIES: dict[str, str] = {
    "plain": "plain",
    **dict.fromkeys(("stripes", "two_stripes", "uneven_stripes", "pinstripes", "breton", "chevron"), "striped"),
    **dict.fromkeys(("checks", "gingham", "plaid", "tartan", "windowpane", "argyle", "houndstooth"), "checked"),
    "dots": "dotted",
    "floral": "floral",
    **dict.fromkeys(("blocks", "logo", "emblem", "icons", "camouflage", "animal"), "printed"),
    "lettering": "lettered",
}
"""The twin's patterns by family, as its painter has them; kept here, because scoring does not depend on painting."""


@dataclass(frozen=True)
class Dimension:
    """One way to part the rows.

    Args:
        title: what people call it.
        values: in the order of charts; values not among them come last, by name.
    """

    title: str
    values: tuple[str, ...]


DIMENSIONS: dict[str, Dimension] = {
    "category": Dimension("Category", tuple(map(str, Category))),
    "worn": Dimension("Worn by the person", ("top", "trousers", "skirt", "dress")),
    "sleeve": Dimension("Sleeve", ("sleeveless", "short", "long")),
    "arm_pose": Dimension("Arms", ("side", "bent", "crossed or hidden")),
    "missing_joints": Dimension("Missing joints", MISSING),
    "neckline": Dimension("Neckline", ()),
    "pattern": Dimension(
        "Pattern, as drawn", ("plain", "striped", "checked", "dotted", "floral", "printed", "lettered")
    ),
    "texture": Dimension("Texture, by gradients", ("plain", "striped", "printed")),
    "mask_size": Dimension("Share of the image hidden", MASK_SIZES),
}
"""What rows are parted by. Rows whose value is not known belong to no slice of a dimension."""

Values = dict[str, list[str | None]]
"""Dimension to the value of every row, None where it is not known."""

Told = dict[str, Interval]
"""Metric key to mean and interval."""

Slices = dict[str, dict[str, Told]]
"""Dimension → value → metric key → interval; the dimension `category` also has the value `all`."""


def slice_values(rows: PackedDataset, textures: Mapping[str, str | None]) -> Values:
    """The value of every row in every dimension, category by category as scores have them.

    Args:
        rows: of one setting, with the slice columns and masks.
        textures: texture of the garment by pair.
    """
    parts = [_of_category(rows.indices_of(category), textures) for category in Category]
    return {name: [value for part in parts for value in part[name]] for name in DIMENSIONS}


def _of_category(rows: PackedDataset, textures: Mapping[str, str | None]) -> Values:
    column = {name: rows.table.column(name).to_pylist() for name in _READ}
    return {
        **{name: column[name] for name in ("category", "worn", "sleeve", "neckline")},
        "arm_pose": ["crossed or hidden" if pose in ("crossed", "hidden") else pose for pose in column["arm_pose"]],
        "missing_joints": [None if count is None else missing_joints(count) for count in column["missing_joints"]],
        "pattern": [FAMILIES.get(pattern) for pattern in column["pattern"]],
        "texture": [textures.get(pair) for pair in column["pair_id"]],
        "mask_size": [mask_size(float(rows.mask("mask", row).mean())) for row in range(len(rows))],
    }


_READ = ("pair_id", "category", "worn", "sleeve", "arm_pose", "missing_joints", "neckline", "pattern")


def missing_joints(count: int) -> str:
    """The slice of a number of missing key points."""
    return MISSING[0] if count == 0 else MISSING[1] if count < 5 else MISSING[2]


def mask_size(share: float) -> str:
    """The slice of a share of hidden pixels, 0..1."""
    return MASK_SIZES[int(np.searchsorted(MASK_BOUNDS, share, side="right"))]


def slice_scores(scores: RowScores, setting: str, method: str, values: Values, seed: int) -> Slices:
    """Intervals of every metric in every slice.

    Args:
        scores: numbers of every row.
        setting: whose rows `values` tells.
        method: the model or a baseline.
        values: of every row, from `slice_values`, or some of its dimensions.
        seed: of the bootstrap.

    Returns:
        Slices and metrics that have a number; nothing when no row has a true image.
    """
    matrix = scores.matrix(setting, method)
    known = np.flatnonzero(np.isfinite(matrix).any(axis=0))
    keys = [scores.keys[column] for column in known]
    if not keys:
        return {}
    places = [("category", ALL), *((name, value) for name in values for value in _ordered(name, values[name]))]
    found = intervals(matrix[:, known], _membership(values, places), seed)
    slices: Slices = {}
    for (name, value), row in zip(places, found, strict=True):
        told = {key: one for key, one in zip(keys, row, strict=True) if one is not None}
        if told:
            slices.setdefault(name, {})[value] = told
    return slices


def _ordered(name: str, values: Sequence[str | None]) -> list[str]:
    present = {value for value in values if value is not None}
    first = [value for value in DIMENSIONS[name].values if value in present]
    return [*first, *sorted(present - set(first))]


def _membership(values: Values, places: Sequence[tuple[str, str]]) -> NDArray[np.bool_]:
    """Which rows belong to which place, bool (N, G)."""
    columns = [[value == ALL or own == value for own in values[name]] for name, value in places]
    return np.array(columns, np.bool_).reshape(len(places), -1).T


@dataclass(frozen=True)
class WorstSlice:
    """A slice on which the model is farther off than on all rows."""

    dimension: str
    value: str
    interval: Interval
    overall: float

    @property
    def significant(self) -> bool:
        """Whether the whole interval lies above the mean of all rows."""
        return self.interval.low is not None and bool(self.interval.low > self.overall)

    @property
    def ratio(self) -> float:
        """Error in the slice by error on all rows."""
        return self.interval.mean / self.overall if self.overall else float("inf")


def worst_slices(slices: Slices, count: int = WEAKEST) -> list[WorstSlice]:
    """The slices with the largest error inside the garment, those whose interval leaves out the overall mean first.

    Slices of fewer than `LEAST_ROWS` rows and those that are no worse than all rows are left out, and so is a slice
    with the same numbers as one that is already named: all dresses are worn as dresses.
    """
    if KEY not in slices.get("category", {}).get(ALL, {}):
        return []
    overall = slices["category"][ALL][KEY]
    weak = [
        WorstSlice(name, value, told[KEY], overall.mean)
        for name, own in slices.items()
        for value, told in own.items()
        if KEY in told and told[KEY].rows >= LEAST_ROWS and told[KEY].mean > overall.mean
    ]
    weak.sort(key=lambda one: (not one.significant, -one.interval.mean))
    distinct = {(one.interval.mean, one.interval.rows): one for one in reversed(weak)}
    return [one for one in weak if distinct[one.interval.mean, one.interval.rows] is one][:count]


def slices_to_dict(slices: Mapping[str, Mapping[str, Slices]]) -> dict[str, Any]:
    """The content of `slices.json`: setting → method → dimension → value → rows, and key → [mean, low, high]."""
    return {
        setting: {
            method: {name: {value: _told(told) for value, told in values.items()} for name, values in own.items()}
            for method, own in methods.items()
        }
        for setting, methods in slices.items()
    }


def _told(told: Told) -> dict[str, Any]:
    rows = max(one.rows for one in told.values())
    return {"rows": rows, **{key: [_rounded(x) for x in one[:3]] for key, one in told.items()}}


def summary_slices(slices: Mapping[str, Mapping[str, Slices]]) -> dict[str, Any]:
    """The model's error inside the garment in every slice, for `metrics.json`: plain numbers under names."""
    return {
        setting: {
            name: {value: interval_to_dict(told[KEY]) for value, told in values.items() if KEY in told}
            for name, values in methods.get(MODEL, {}).items()
        }
        for setting, methods in slices.items()
        if methods.get(MODEL)
    }


def interval_to_dict(one: Interval) -> dict[str, float | int | None]:
    """Mean, ends and number of rows."""
    return {"mean": _rounded(one.mean), "low": _rounded(one.low), "high": _rounded(one.high), "rows": one.rows}


def worst_slice_to_dict(setting: str, weak: Sequence[WorstSlice]) -> list[dict[str, Any]]:
    """The weakest slices for `metrics.json`."""
    return [
        {
            "setting": setting,
            "dimension": one.dimension,
            "value": one.value,
            **interval_to_dict(one.interval),
            "ratio": round(one.ratio, 4),
            "stands_out": one.significant,
        }
        for one in weak
    ]


def summary_setting(slices: Mapping[str, Mapping[str, Slices]]) -> str | None:
    """The setting that says most: unpaired where true images are known, else paired; None where none are."""
    told = [setting for setting in ("unpaired", "paired") if slices.get(setting, {}).get(MODEL)]
    return next(iter(told), None)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DECIMALS)
