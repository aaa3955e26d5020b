"""The report: everything in one HTML file that asks nothing of any host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from tryon.evaluation.audit import MaskPicture
from tryon.evaluation.course import Course, title_of
from tryon.evaluation.gallery import Shot, data_uri
from tryon.evaluation.headline import headline_table
from tryon.evaluation.methods import METHODS
from tryon.evaluation.protocol import Facts
from tryon.evaluation.scores import ALL, metric_keys, pair_keys
from tryon.manifest.schemas import LEAKY
from tryon.metrics import METRICS
from tryon.metrics.regions import PICTURE, REGIONS

MOST_SHOTS = 12
"""Rows of a category and setting inside the report; the others are files in `galleries/`."""


@dataclass(frozen=True)
class Report:
    """What the report shows.

    Args:
        content: of `metrics.json`.
        shots: rows of the galleries.
        courses: training stages, in time order.
        masks: by category, pictures of masks.
        data: what the test rows are and under which licence.
        versions: hashes and versions of what went in.
    """

    content: Mapping[str, Any]
    shots: list[Shot]
    courses: list[Course]
    masks: Mapping[str, list[MaskPicture]]
    data: Facts
    versions: Facts


def render(report: Report) -> str:
    """The page; equal reports give equal text."""
    environment = Environment(
        loader=PackageLoader("tryon.evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = {"number": number, "percent": percent, "times": times, "title_of": title_of, "compared": compared}
    environment.filters |= filters
    return environment.get_template("report.html.j2").render(
        report=report,
        content=report.content,
        headline=headline_table(report.content),
        galleries=_galleries(report.shots),
        columns=_columns(report.content),
        methods=METHODS,
        best=best_methods(report.content),
        leaky=LEAKY,
    )


def number(value: float | None, key: str = "") -> str:
    """A number as tables show it: decibel with two decimals, the rest with four; a dash for none."""
    if value is None:
        return "–"
    return f"{value:.2f}" if key.startswith(("psnr", "fid")) else f"{value:.4f}"


def times(value: float | None) -> str:
    """A ratio to a baseline; a dash for none."""
    return "–" if value is None else f"{value:.2f}×"


def percent(value: float | None, digits: int = 1) -> str:
    """A share as percent; a dash for none."""
    return "–" if value is None else f"{100 * value:.{digits}f} %"


def compared(content: Mapping[str, Any]) -> str:
    """How many rows are compared with a true picture, setting by setting; Dress Code has none of its unpaired rows."""
    told = [
        f"{content['compared'][setting][ALL]['picture']} of {sum(counts.values())} {setting} rows"
        for setting, counts in content["rows"].items()
    ]
    return f"Compared with the true picture: {', '.join(told)}."


def best_methods(content: Mapping[str, Any]) -> set[tuple[str, str, str, str]]:
    """(setting, category, method, key) of the best number of each group of methods."""
    found = set()
    for setting, categories in content["metrics"].items():
        for category, methods in categories.items():
            for key, name in metric_keys().items():
                if key in METRICS[name].also:
                    continue  # a spread is neither good nor bad
                known = {method: told[key] for method, told in methods.items() if told[key] is not None}
                if known:
                    pick = max if METRICS[name].better == "higher" else min
                    found.add((setting, category, pick(known, key=lambda method: known[method]), key))
    return found


def _columns(content: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Tables of each setting, one a region: metric columns that have a number, with their titles."""
    regions = {key: region for key, (_, region) in pair_keys().items()}
    tables: dict[str, list[dict[str, Any]]] = {}
    for setting, categories in content["metrics"].items():
        told = [numbers for methods in categories.values() for numbers in methods.values()]
        known = {
            key: _title(key, name)
            for key, name in metric_keys().items()
            if any(numbers[key] is not None for numbers in told)
        }
        by_region = {
            words: [{"key": key, "title": title} for key, title in known.items() if regions.get(key, PICTURE) == region]
            for region, words in REGIONS.items()
        }
        tables[setting] = [{"region": words, "columns": columns} for words, columns in by_region.items() if columns]
    return tables


def _title(key: str, name: str) -> str:
    if key in METRICS[name].also:
        return f"{METRICS[name].title} ±"
    return f"{METRICS[name].title} {'↑' if METRICS[name].better == 'higher' else '↓'}"


def _galleries(shots: list[Shot]) -> list[dict[str, Any]]:
    galleries = []
    for (setting, category), group in groupby(shots, lambda shot: (shot.setting, shot.category)):
        rows = list(group)
        shown = [
            {
                "pair_id": shot.pair_id,
                "error": shot.error,
                "pictures": [(caption, data_uri(picture)) for caption, picture in shot.pictures.items()],
            }
            for shot in rows[:MOST_SHOTS]
        ]
        more = max(len(rows) - MOST_SHOTS, 0)
        galleries.append({"setting": setting, "category": str(category), "shots": shown, "more": more})
    return galleries
