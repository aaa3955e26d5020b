"""Summarize the audit of a category: a table of quantiles and histograms."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tryon.agnostic.masks.audit import NUMBERS
from tryon.runtime.stage_result import Cell

NAMES = {
    "leak_fraction": "leak",
    "protected_fraction": "protected",
    "mask_fraction": "masked",
    "outline_similarity": "outline",
}
"""Display names of the metrics, the most severe first."""
assert set(NAMES) == set(NUMBERS)

_QUANTILES = {"median": 0.5, "90 %": 0.9, "99 %": 0.99, "99.9 %": 0.999, "max": 1.0}
_BINS = 25
_PANEL = (230, 380)  # height, width in pixels
_TEXT, _GRAY, _BAR, _LIMIT = (29, 33, 37), (93, 101, 109), (15, 110, 99), (190, 40, 30)

Numbers = dict[str, NDArray[np.float32]]
"""By column of the manifest: one value a row, NaN where unknown."""


def quantile_table(numbers: Numbers, limits: dict[str, float]) -> list[dict[str, Cell]]:
    """Compute mean, quantiles and limit (maximum by column) of each metric, in percent, one row a metric."""
    table: list[dict[str, Cell]] = []
    for column, name in NAMES.items():
        values = _finite(numbers[column])
        cells = {"mean": values.mean(dtype=np.float64) if len(values) else None}
        cells |= {title: np.quantile(values, q) if len(values) else None for title, q in _QUANTILES.items()}
        cells["limit"] = limits.get(column)
        percent = {title: None if value is None else round(100 * float(value), 4) for title, value in cells.items()}
        table.append({"in %": name, **percent})
    return table


def histogram(title: str, numbers: Numbers, limits: dict[str, float]) -> bytes:
    """Render the histograms of the metrics, rows on a logarithmic scale, as PNG."""
    panels = [_panel(NAMES[column], _finite(numbers[column]), limits.get(column)) for column in NAMES]
    rows = [np.concatenate(panels[:2], axis=1), np.concatenate(panels[2:], axis=1)]
    head = Image.new("RGB", (2 * _PANEL[1], 36), "white")
    ImageDraw.Draw(head).text((14, 10), title, _TEXT, ImageFont.load_default(17))
    rgb = np.concatenate([np.array(head), *rows])
    return cv2.imencode(".png", rgb[..., ::-1])[1].tobytes()


def _finite(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return values[np.isfinite(values)]


def _panel(name: str, values: NDArray[np.float32], limit: float | None) -> NDArray[np.uint8]:
    height, width = _PANEL
    left, right, top, bottom = 50, width - 16, 34, height - 30
    panel = Image.new("RGB", (width, height), "white")
    draw, font = ImageDraw.Draw(panel), ImageFont.load_default(12)
    draw.text((left, 10), f"{name}, {len(values)} rows", _TEXT, ImageFont.load_default(14))
    end = _axis_end(values, limit)
    counts = np.histogram(values, _BINS, (0, end))[0]
    scale = (bottom - top) / max(np.log10(1 + counts.max()), 1)
    step = (right - left) / _BINS
    for number, count in enumerate(counts):
        x = left + number * step
        draw.rectangle((x, bottom - np.log10(1 + count) * scale, x + step - 2, bottom), _BAR) if count else None
    for power in range(int(np.log10(1 + max(counts.max(), 9))) + 1):
        y = bottom - np.log10(1 + 10**power) * scale
        draw.text((left - 6, y), str(10**power), _GRAY, font, anchor="rm")
    draw.line((left, bottom, right, bottom), _GRAY)
    for tick in (0, 0.5, 1):
        draw.text((left + tick * (right - left), bottom + 6), f"{100 * end * tick:g} %", _GRAY, font, anchor="ma")
    if limit is not None and limit <= end:
        x = left + limit / end * (right - left)
        draw.line((x, top, x, bottom), _LIMIT)
        draw.text((x - 4, top), "limit", _LIMIT, font, anchor="ra" if x > left + 40 else "la")
    return np.array(panel)


def _axis_end(values: NDArray[np.float32], limit: float | None) -> float:
    """Return a round number at or above the largest value and, if it is small, the limit."""
    largest = max(float(values.max(initial=0)), limit if limit is not None and limit < 0.1 else 0.0, 1e-4)
    power = 10 ** np.floor(np.log10(largest))
    return float(min(next(step * power for step in (1, 2, 5, 10) if step * power >= largest * (1 - 1e-6)), 1.0))
