"""Print terminal tables of scores and comparisons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from tryon.console import format_cell, make_console, print_table
from tryon.metrics import METRICS
from tryon.metrics.pairwise import key_of, pair_keys
from tryon.metrics.regions import GARMENT, IMAGE, REGIONS
from tryon.runtime.stage_result import Cell
from tryon.scoring.compare import Comparison, MetricComparison, overall_verdict, require_comparable

WIDE = 110
"""Terminal width from which tables include every metric, standard deviations and differences."""

COLUMNS = ("ssim", "ms_ssim", "psnr", "l1", "lpips", "fid", "kid")
NARROW_COLUMNS = ("ssim", "psnr", "lpips", "fid", "kid")


def print_scores(content: dict[str, Any]) -> None:
    """Print the content of a result file to standard output."""
    console = make_console(results=True)
    print_table(score_rows(content, console.width), console)
    for protocol, block in content["protocols"].items():
        if rows := region_rows(block):
            console.print(f"\n{protocol}, by region\n")
            print_table(rows, console)
    console.print()
    for note in score_notes(content):
        console.print(note)


def score_rows(content: dict[str, Any], width: int) -> list[dict[str, Cell]]:
    """Return one row per protocol and group, with whole-image and set metrics."""
    names = COLUMNS if width >= WIDE else NARROW_COLUMNS
    rows: list[dict[str, Cell]] = []
    for protocol, block in content["protocols"].items():
        for number, (group, scores) in enumerate(block["scores"].items()):
            cells = {display_name(name): _score_cell(scores, name, width >= WIDE) for name in names}
            rows.append({"protocol": "" if number else protocol, "category": group, "N": scores["n"], **cells})
    return rows


def region_rows(block: dict[str, Any]) -> list[dict[str, Cell]]:
    """Return one row per group and region with its pairwise metrics, for protocols that compare regions."""
    metrics = [name for name in COLUMNS if METRICS[name].pairwise]
    rows: list[dict[str, Cell]] = []
    for group, scores in block["scores"].items():
        label = group
        for region, title in REGIONS.items():
            keys = [key_of(name, region) for name in metrics]
            if region != IMAGE and any(key in scores for key in keys):
                cells = {display_name(name): scores.get(key) for name, key in zip(metrics, keys, strict=True)}
                rows.append({"category": label, "region": title, **cells})
                label = ""
    return rows


def _score_cell(scores: Mapping[str, Any], name: str, wide: bool) -> Cell:
    value, deviation = scores.get(name), scores.get(f"{name}_std")
    return f"{format_cell(value)} ± {deviation:.2g}" if wide and None not in (value, deviation) else value


def display_name(name: str) -> str:
    """Return the display name of a metric.

    >>> display_name("ms_ssim")
    'MS-SSIM'
    """
    return name.replace("_", "-").upper()


def score_notes(content: dict[str, Any]) -> list[str]:
    """Return the notes below the table: fingerprints, unavailable metrics with reasons, warnings."""
    lines = []
    for name, block in content["protocols"].items():
        metrics = block["fingerprint"]["metrics"]
        scaled = [f", {display_name(key)} x {facts['scale']}" for key, facts in metrics.items() if facts["scale"] != 1]
        lines.append(f"{name}: fingerprint {block['short']}{''.join(scaled)}")
        reasons: dict[tuple[str, str], list[str]] = {}
        for note in block["unavailable"]:
            reasons.setdefault((note["reason"], note["where"]), []).append(display_name(note["metric"]))
        for (reason, where), metrics in reasons.items():
            lines.append(f"  no {', '.join(metrics)}{_format_groups(where)}: {reason}")
        lines += [
            f"  {display_name(note['metric'])}{_format_groups(note['where'])}: {note['warning']}"
            for note in block["warnings"]
        ]
        lines += [f"  {deviation}" for deviation in block["deviations"]]
    if count := content["results"].get("by_person"):
        lines.append(f"{count} files are named by person only; it cannot be checked that they show the pair's garment")
    return lines


def _format_groups(groups: str) -> str:
    return "" if groups == "everywhere" else f" ({groups})"


def print_comparison(comparison: Comparison) -> None:
    """Print a comparison to standard output, with the verdict where row scores are known.

    Raises:
        TryOnError: nothing could be compared.
    """
    require_comparable(comparison)
    console = make_console(results=True)
    with_rows = any(each.interval for each in comparison.metrics)
    for (protocol, setting), metrics in groupby(comparison.metrics, lambda each: (each.protocol, each.setting)):
        console.print(f"\n{protocol}, {setting}{', inside the garment' if with_rows else ''}\n")
        print_table(comparison_rows(metrics, console.width >= WIDE), console)
    for reason in comparison.skipped + _missing_in_both(comparison.metrics):
        console.print(f"not compared: {reason}")
    if with_rows:
        overall = overall_verdict(comparison)
        console.print(f"\nverdict: {overall.verdict}. {overall.reason}.", soft_wrap=True)


def comparison_rows(metrics: Iterable[MetricComparison], wide: bool) -> list[dict[str, Cell]]:
    """Return one row per compared metric; with row scores, only of metrics inside the garment."""
    inside = {key for key, (_, region) in pair_keys().items() if region == GARMENT}
    rows: list[dict[str, Cell]] = []
    for each in metrics:
        row: dict[str, Cell] = {
            "category": each.group,
            "metric": each.key,
            "current": each.current,
            "baseline": each.baseline,
        }
        interval = each.interval
        if interval is None:
            if (each.current, each.baseline) != (None, None):
                rows.append(row | {"difference": each.difference})
        elif each.key in inside:
            details: dict[str, Cell] = {"difference": each.difference, "rows": interval.rows} if wide else {}
            ends = "–" if interval.low is None else f"{interval.low:+.4f} to {interval.high:+.4f}"
            rows.append(row | details | {"95 %": ends, "verdict": str(each.verdict)})
    return rows


def _missing_in_both(metrics: Iterable[MetricComparison]) -> list[str]:
    """List the metrics that neither result has, merging those with the same groups."""
    groups: dict[str, list[str]] = {}
    for each in metrics:
        if each.current is None and each.baseline is None:
            groups.setdefault(f"{each.protocol} {each.key}", []).append(each.group)
    keys: dict[str, list[str]] = {}
    for key, names in groups.items():
        keys.setdefault(", ".join(names), []).append(key)
    return [f"{', '.join(names)}: unavailable in both ({where})" for where, names in keys.items()]
