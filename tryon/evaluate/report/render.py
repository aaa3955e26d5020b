"""The report: everything in one HTML file that asks nothing of any host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from tryon.categories import Category
from tryon.evaluate.baselines import IDEAL
from tryon.evaluate.mask_robustness import GROWN, JITTERED, SHRUNK, UNCHANGED, MaskRobustness, RobustnessPoint
from tryon.evaluate.predict import METHODS
from tryon.evaluate.provenance import Facts
from tryon.evaluate.report.charts import Chart, DotChart, dot_chart, line_chart
from tryon.evaluate.report.data_cards import cards_of
from tryon.evaluate.report.gallery import BEST, BY_NAME, MEDIAN, WORST, GalleryRow, data_uri
from tryon.evaluate.report.mask_audit import MaskImage
from tryon.evaluate.report.published import PUBLISHED, Published, Table
from tryon.evaluate.report.run_comparison import RunComparison
from tryon.evaluate.report.training_curves import TrainingCurves, title_of
from tryon.evaluate.slices import DIMENSIONS, LEAST_ROWS, Slices
from tryon.evaluate.summary import KEY, MODEL, summary_table
from tryon.manifest.schemas import LEAK_THRESHOLD
from tryon.metrics import METRICS
from tryon.metrics.pairwise import pair_keys
from tryon.metrics.regions import IMAGE, REGIONS
from tryon.scoring.bootstrap import MIN_ROWS
from tryon.scoring.fingerprint import short_fingerprint
from tryon.scoring.metric_availability import NO_FLOW
from tryon.scoring.row_scores import ALL, metric_keys

MOST_SHOTS = 4
"""Rows of a kind, category and setting inside the report; the others are files in `galleries/`."""

KINDS = {
    BEST: "smallest error",
    MEDIAN: "around the median",
    WORST: "largest error",
    BY_NAME: "drawn by a hash of their names",
}
"""Why rows are shown, in words."""


@dataclass(frozen=True)
class Report:
    """What the report shows.

    Args:
        content: of `metrics.json`.
        shots: rows of the galleries.
        courses: training stages, in time order.
        masks: by category, images of masks.
        slices: setting → method → slices.
        sensitivity: error under changed masks; None where it was left out.
        beside: another run; None where none is named.
        data: what the test rows are and under which licence.
        licences: number of test rows by licence.
        versions: hashes and versions of what went in.
    """

    content: Mapping[str, Any]
    shots: list[GalleryRow]
    courses: list[TrainingCurves]
    masks: Mapping[str, list[MaskImage]]
    slices: Mapping[str, Mapping[str, Slices]]
    sensitivity: MaskRobustness | None
    beside: RunComparison | None
    data: Facts
    licences: Mapping[str | None, int]
    versions: Facts


def templates() -> Environment:
    """The templates of page and model card, with what writes numbers and names in them."""
    environment = Environment(
        loader=PackageLoader("tryon.evaluate.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = {
        "number": format_metric,
        "percent": format_percent,
        "times": format_ratio,
        "title_of": title_of,
        "compared": compared,
    }
    environment.filters |= filters | {
        "signed": format_signed,
        "dimension": dimension_title,
        "short": short_fingerprint,
        "plain": format_plain,
    }
    return environment


def render(report: Report) -> str:
    """The page; equal reports give equal text."""
    return (
        templates()
        .get_template("report.html.j2")
        .render(
            report=report,
            content=report.content,
            headline=summary_table(report.content),
            galleries=_galleries(report.shots),
            columns=_columns(report.content),
            methods=METHODS,
            best=best_methods(report.content),
            leaky=LEAK_THRESHOLD,
            slices={setting: slice_charts(report, setting) for setting in report.slices},
            no_flow=NO_FLOW,
            fewest=MIN_ROWS,
            least=LEAST_ROWS,
            sensitivity=None if report.sensitivity is None else sensitivity_chart(report.sensitivity),
            published=published_tables(),
            ours=our_rows(report.content),
            cards=cards_of(report.licences),
            kinds=KINDS,
        )
    )


def format_metric(value: float | None, key: str = "") -> str:
    """A number as tables show it: decibel with two decimals, the rest with four; a dash for none."""
    if value is None:
        return "–"
    return f"{value:.2f}" if key.startswith(("psnr", "fid")) else f"{value:.4f}"


def format_ratio(value: float | None) -> str:
    """A ratio to a baseline; a dash for none."""
    return "–" if value is None else f"{value:.2f}×"


def format_plain(value: float | None) -> str:
    """A number as a paper prints it; a dash for none."""
    return "–" if value is None else f"{value:.4f}".rstrip("0") if value < 1 else f"{value:.4g}"


def format_signed(value: float) -> str:
    """A difference with its sign."""
    return f"{value:+.4f}".replace("-", "−")


def dimension_title(name: str) -> str:
    """What people call a dimension of slices."""
    return DIMENSIONS[name].title


def format_percent(value: float | None, digits: int = 1) -> str:
    """A share as percent; a dash for none."""
    return "–" if value is None else f"{100 * value:.{digits}f} %"


def compared(content: Mapping[str, Any]) -> str:
    """How many rows are compared with a true image, setting by setting; Dress Code has none of its unpaired rows."""
    told = [
        f"{content['compared'][setting][ALL]['image']} of {sum(counts.values())} {setting} rows"
        for setting, counts in content["rows"].items()
    ]
    return f"Compared with the true image: {', '.join(told)}."


def best_methods(content: Mapping[str, Any]) -> set[tuple[str, str, str, str]]:
    """(setting, category, method, key) of the best number of each group of methods; the bound does not compete."""
    found = set()
    for setting, categories in content["metrics"].items():
        for category, methods in categories.items():
            for key, name in metric_keys().items():
                if key in METRICS[name].extra_outputs:
                    continue  # a spread is neither good nor bad
                known = {
                    method: told[key] for method, told in methods.items() if method != IDEAL and told[key] is not None
                }
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
            words: [{"key": key, "title": title} for key, title in known.items() if regions.get(key, IMAGE) == region]
            for region, words in REGIONS.items()
        }
        tables[setting] = [{"region": words, "columns": columns} for words, columns in by_region.items() if columns]
    return tables


def _title(key: str, name: str) -> str:
    if key in METRICS[name].extra_outputs:
        return f"{METRICS[name].title} ±"
    return f"{METRICS[name].title} {'↑' if METRICS[name].better == 'higher' else '↓'}"


def slice_charts(report: Report, setting: str) -> list[DotChart]:
    """The model's error inside the garment in every slice of a setting, all charts on one scale."""
    slices = report.slices[setting].get(MODEL, {})
    told = {
        name: {value: own[KEY] for value, own in values.items() if KEY in own and (value != ALL or name == "category")}
        for name, values in slices.items()
    }
    overall = told.get("category", {}).get(ALL)
    if overall is None:
        return []
    shown = [one for values in told.values() for one in values.values()]
    highest = max(one.mean if one.high is None else one.high for one in shown)
    weak = {(one["dimension"], one["value"]) for one in report.content["weakest"] if one["setting"] == setting}
    return [
        dot_chart(
            dimension_title(name),
            {title_of(value): one for value, one in values.items()},
            overall.mean,
            highest,
            {title_of(value) for value in values if (name, value) in weak},
        )
        for name, values in told.items()
        if values
    ]


def sensitivity_chart(found: MaskRobustness) -> Chart:
    """Error by pixels: one line from shrunk to grown masks, one for jittered ones, with intervals."""
    by_kind = {kind: [point for point in found.points if point.change.kind == kind] for kind in _KINDS}
    moved = [*by_kind[SHRUNK][::-1], *by_kind[UNCHANGED], *by_kind[GROWN]]
    lines = {"Shrunk (−) or grown (+)": moved, "Outline jittered": [*by_kind[UNCHANGED], *by_kind[JITTERED]]}
    series = {name: [(_x(point), point.error.mean) for point in points] for name, points in lines.items()}
    spans = {name: [(_x(p), p.error.low, p.error.high) for p in points] for name, points in lines.items()}
    known = {
        name: [(x, low, high) for x, low, high in own if low is not None and high is not None]
        for name, own in spans.items()
    }
    return line_chart(
        "L1 inside the garment", series, dict.fromkeys(lines, 0) | {"Outline jittered": 1}, "pixels", spans=known
    )


_KINDS = (UNCHANGED, SHRUNK, GROWN, JITTERED)


def _x(point: RobustnessPoint) -> float:
    return -point.change.pixels if point.change.kind == SHRUNK else point.change.pixels


def published_tables() -> list[tuple[Table, list[Published]]]:
    """Published numbers, table by table."""
    return [(table, list(rows)) for table, rows in groupby(PUBLISHED, lambda row: row.table)]


def our_rows(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Our numbers in the columns of published tables: paired SSIM, LPIPS, FID and KID, unpaired FID and KID."""
    rows = []
    for category in content["metrics"]["paired"]:
        paired, unpaired = (content["metrics"][setting][category][MODEL] for setting in ("paired", "unpaired"))
        counts = content["rows"]["paired"]
        rows.append(
            {
                "category": category,
                "n": sum(counts.values()) if category == ALL else counts[category],
                **{key: paired[key] for key in ("ssim", "lpips", "fid", "kid")},
                **{f"{key}_unpaired": unpaired[key] for key in ("fid", "kid")},
            }
        )
    return rows


_RANK = {category: number for number, category in enumerate(Category)}


def _galleries(shots: list[GalleryRow]) -> list[dict[str, Any]]:
    galleries = []
    for (setting, category, why), group in groupby(shots, lambda shot: (shot.setting, shot.category, shot.pick.why)):
        rows = list(group)
        shown = [
            {
                "pair_id": shot.pair_id,
                "error": shot.pick.error,
                "images": [(caption, data_uri(image)) for caption, image in shot.images.items()],
            }
            for shot in rows[:MOST_SHOTS]
        ]
        more = max(len(rows) - MOST_SHOTS, 0)
        place = {"setting": setting, "category": str(category), "why": why, "place": f"{setting} {_RANK[category]}"}
        galleries.append({**place, "shots": shown, "more": more})
    return galleries


def render_model_card(report: Report) -> str:
    """The card; equal reports give equal text."""
    # Markdown: nothing is escaped, and nothing in it comes from outside but names of licences.
    markdown = templates().overlay(autoescape=False, keep_trailing_newline=True)
    return markdown.get_template("model_card.md.j2").render(
        report=report,
        content=report.content,
        headline=summary_table(report.content),
        no_flow=NO_FLOW,
        cards=cards_of(report.licences),
    )
