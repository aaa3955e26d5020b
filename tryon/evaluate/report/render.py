"""Render the self-contained HTML report and the model card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from tryon.categories import ALL, Category
from tryon.evaluate.baselines import ORACLE_WARP
from tryon.evaluate.evaluated_model import Facts
from tryon.evaluate.mask_robustness import DILATED, ERODED, JITTERED, UNCHANGED, MaskRobustness, RobustnessPoint
from tryon.evaluate.predict import METHODS
from tryon.evaluate.report.charts import Chart, Series, interval_chart, line_chart
from tryon.evaluate.report.data_cards import cards_for_licences
from tryon.evaluate.report.gallery import BEST, MEDIAN, RANDOM, WORST, GalleryRow, data_uri
from tryon.evaluate.report.mask_audit import MaskImage
from tryon.evaluate.report.published import PUBLISHED, PublishedScore, Table
from tryon.evaluate.report.run_comparison import RunComparison
from tryon.evaluate.report.training_curves import TrainingCurves, title_of
from tryon.evaluate.slices import DIMENSIONS, MIN_SLICE_ROWS, Slices
from tryon.evaluate.summary import summary_table
from tryon.manifest.schemas import LEAK_THRESHOLD
from tryon.metrics import METRICS
from tryon.metrics.regions import REGIONS
from tryon.scoring.bootstrap import MIN_ROWS
from tryon.scoring.compare import PRIMARY_METRIC
from tryon.scoring.fingerprint import short_fingerprint
from tryon.scoring.metric_availability import NO_FLOW
from tryon.scoring.protocols.fitting_room import EVALUATION
from tryon.scoring.saved_scores import MODEL

MAX_GALLERY_ROWS = 4
"""Rows per kind, category and setting in the report; all rows are in `galleries/`."""

SELECTION_TITLES = {
    BEST: "smallest error",
    MEDIAN: "around the median",
    WORST: "largest error",
    RANDOM: "selected by a hash of their pair ids",
}
"""Descriptions of the kinds of selected rows."""


@dataclass(frozen=True)
class Report:
    """Content of the report.

    Args:
        content: of `metrics.json`.
        gallery: rows of the galleries.
        training: curves of the training stages, in order.
        masks: example masks by category.
        slices: setting → method → slices.
        robustness: error under perturbed masks; None where it was not measured.
        comparison: with the baseline run; None where none is set.
        data: number and licence of the test rows.
        licences: number of test rows by licence.
        versions: hashes and versions of all inputs.
    """

    content: Mapping[str, Any]
    gallery: list[GalleryRow]
    training: list[TrainingCurves]
    masks: Mapping[str, list[MaskImage]]
    slices: Mapping[str, Mapping[str, Slices]]
    robustness: MaskRobustness | None
    comparison: RunComparison | None
    data: Facts
    licences: Mapping[str | None, int]
    versions: Facts


def templates() -> Environment:
    """Return the templates of report and model card, with their filters."""
    environment = Environment(
        loader=PackageLoader("tryon.evaluate.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "metric": format_metric,
        "percent": format_percent,
        "ratio": format_ratio,
        "signed": format_signed,
        "plain": format_plain,
        "title_of": title_of,
        "dimension": dimension_title,
        "fingerprint": short_fingerprint,
        "coverage": ground_truth_sentence,
    }
    return environment


def render_report(report: Report) -> str:
    """Render the HTML page; equal reports give equal text."""
    content = report.content
    return (
        templates()
        .get_template("report.html.j2")
        .render(
            report=report,
            content=content,
            summary=summary_table(content),
            galleries=_galleries(report.gallery),
            columns=_columns(content),
            methods=METHODS,
            best=best_methods(content),
            leak_threshold=LEAK_THRESHOLD,
            slices={setting: slice_charts(report, setting) for setting in report.slices},
            no_flow=NO_FLOW,
            min_rows=MIN_ROWS,
            min_slice_rows=MIN_SLICE_ROWS,
            robustness_chart=None if report.robustness is None else robustness_chart(report.robustness),
            published=published_tables(),
            published_rows=published_rows_of_this_model(content),
            cards=cards_for_licences(report.licences),
            selection_titles=SELECTION_TITLES,
        )
    )


def render_model_card(report: Report) -> str:
    """Render the model card in Markdown; equal reports give equal text."""
    # Markdown is not escaped: the only external text are names of licences.
    markdown = templates().overlay(autoescape=False, keep_trailing_newline=True)
    return markdown.get_template("model_card.md.j2").render(
        report=report,
        content=report.content,
        summary=summary_table(report.content),
        no_flow=NO_FLOW,
        cards=cards_for_licences(report.licences),
    )


def format_metric(value: float | None, key: str = "") -> str:
    """Format a score for tables: decibels and FID with two decimals, others with four; a dash for None."""
    if value is None:
        return "–"
    return f"{value:.2f}" if key.startswith(("psnr", "fid")) else f"{value:.4f}"


def format_ratio(value: float | None) -> str:
    """Format a ratio to a baseline; a dash for None."""
    return "–" if value is None else f"{value:.2f}×"


def format_plain(value: float | None) -> str:
    """Format a score as papers print it; a dash for None."""
    return "–" if value is None else f"{value:.4f}".rstrip("0") if value < 1 else f"{value:.4g}"


def format_signed(value: float) -> str:
    """Format a difference with its sign."""
    return f"{value:+.4f}".replace("-", "−")


def format_percent(value: float | None, digits: int = 1) -> str:
    """Format a fraction as percent; a dash for None."""
    return "–" if value is None else f"{100 * value:.{digits}f} %"


def dimension_title(name: str) -> str:
    """Return the title of a dimension of slices."""
    return DIMENSIONS[name].title


def ground_truth_sentence(content: Mapping[str, Any]) -> str:
    """State how many rows of each setting have a ground-truth image."""
    parts = [
        f"{content['ground_truth_rows'][setting][ALL]['image']} of {sum(counts.values())} {setting} rows"
        for setting, counts in content["rows"].items()
    ]
    return f"Compared with ground truth: {', '.join(parts)}."


def best_methods(content: Mapping[str, Any]) -> set[tuple[str, str, str, str]]:
    """Return (setting, group, method, key) of every best score, the oracle warp excluded."""
    best = set()
    for setting, groups in content["metrics"].items():
        for group, methods in groups.items():
            for key, (each, _) in EVALUATION.keys().items():
                if key in each.metric.extra_outputs:
                    continue  # a standard deviation is neither good nor bad
                scores = {
                    method: values[key]
                    for method, values in methods.items()
                    if method != ORACLE_WARP and values[key] is not None
                }
                if scores:
                    select = max if each.metric.better == "higher" else min
                    best.add((setting, group, select(scores, key=lambda method: scores[method]), key))
    return best


def _columns(content: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return one table per setting and region, with the columns that have a score."""
    tables: dict[str, list[dict[str, Any]]] = {}
    for setting, groups in content["metrics"].items():
        methods = [scores for each in groups.values() for scores in each.values()]
        by_region: dict[str, list[dict[str, str]]] = {region: [] for region in REGIONS}
        for key, (each, region) in EVALUATION.keys().items():
            if any(scores[key] is not None for scores in methods):
                by_region[region].append({"key": key, "title": _column_title(key, each.name)})
        tables[setting] = [
            {"region": REGIONS[region], "columns": columns} for region, columns in by_region.items() if columns
        ]
    return tables


def _column_title(key: str, name: str) -> str:
    if key in METRICS[name].extra_outputs:
        return f"{METRICS[name].title} ±"
    return f"{METRICS[name].title} {'↑' if METRICS[name].better == 'higher' else '↓'}"


def slice_charts(report: Report, setting: str) -> list[Chart]:
    """Draw the model's error inside the garment in every slice of a setting, all charts on one scale."""
    errors = {
        name: {
            value: each[PRIMARY_METRIC]
            for value, each in values.items()
            if PRIMARY_METRIC in each and (value != ALL or name == "category")
        }
        for name, values in report.slices[setting].get(MODEL, {}).items()
    }
    overall = errors.get("category", {}).get(ALL)
    if overall is None:
        return []
    limit = max(each.mean if each.high is None else each.high for values in errors.values() for each in values.values())
    worst = {
        (each["dimension"], each["value"]) for each in report.content["worst_slices"] if each["setting"] == setting
    }
    return [
        interval_chart(
            dimension_title(name),
            {title_of(value): each for value, each in values.items()},
            overall.mean,
            limit,
            {title_of(value) for value in values if (name, value) in worst},
        )
        for name, values in errors.items()
        if values
    ]


def robustness_chart(robustness: MaskRobustness) -> Chart:
    """Draw the error by pixels: one line from eroded to dilated masks, one for jittered masks."""
    by_kind: dict[str, list[RobustnessPoint]] = {kind: [] for kind in (UNCHANGED, ERODED, DILATED, JITTERED)}
    for point in robustness.points:
        by_kind[point.perturbation.kind].append(point)
    lines = {
        "Eroded (−) or dilated (+)": [*by_kind[ERODED][::-1], *by_kind[UNCHANGED], *by_kind[DILATED]],
        "Outline jittered": [*by_kind[UNCHANGED], *by_kind[JITTERED]],
    }
    series = {}
    for color, (name, points) in enumerate(lines.items()):
        pixels = [point.perturbation.pixels * (-1 if point.perturbation.kind == ERODED else 1) for point in points]
        errors = [point.error for point in points]
        series[name] = Series(
            [(x, error.mean) for x, error in zip(pixels, errors, strict=True)],
            color,
            tuple(
                (x, error.low, error.high)
                for x, error in zip(pixels, errors, strict=True)
                if error.low is not None and error.high is not None
            ),
        )
    return line_chart("L1 inside the garment", series, "pixels")


def published_tables() -> list[tuple[Table, list[PublishedScore]]]:
    """Return published scores, table by table."""
    return [(table, list(rows)) for table, rows in groupby(PUBLISHED, lambda row: row.table)]


def published_rows_of_this_model(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return this model's scores in the columns of published tables."""
    rows = []
    for group in content["metrics"]["paired"]:
        paired, unpaired = (content["metrics"][setting][group][MODEL] for setting in ("paired", "unpaired"))
        counts = content["rows"]["paired"]
        rows.append(
            {
                "category": group,
                "n": sum(counts.values()) if group == ALL else counts[group],
                **{key: paired[key] for key in ("ssim", "lpips", "fid", "kid")},
                **{f"{key}_unpaired": unpaired[key] for key in ("fid", "kid")},
            }
        )
    return rows


def _galleries(rows: list[GalleryRow]) -> list[dict[str, Any]]:
    order = {category: number for number, category in enumerate(Category)}
    galleries = []
    for (setting, category, kind), group in groupby(rows, lambda row: (row.setting, row.category, row.selected.kind)):
        members = list(group)
        entries = [
            {
                "pair_id": row.pair_id,
                "error": row.selected.error,
                "images": [(caption, data_uri(image)) for caption, image in row.images.items()],
            }
            for row in members[:MAX_GALLERY_ROWS]
        ]
        galleries.append(
            {
                "setting": setting,
                "category": str(category),
                "kind": kind,
                "order": f"{setting} {order[category]}",
                "rows": entries,
                "more": max(len(members) - MAX_GALLERY_ROWS, 0),
            }
        )
    return galleries
