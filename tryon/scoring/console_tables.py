"""Results of scoring on a terminal: one table, and below it what must be read with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from tryon.console import format_cell, make_console, print_table
from tryon.errors import TryOnError
from tryon.metrics import METRICS
from tryon.metrics.pairwise import key_of, pair_keys
from tryon.metrics.regions import GARMENT, IMAGE, REGIONS
from tryon.runtime.stage_result import Cell
from tryon.scoring.compare_results import Comparison

NARROW = 110
"""Terminals of fewer columns are shown the numbers of `SHORT` alone, and no standard deviations."""

COLUMNS = ("ssim", "ms_ssim", "psnr", "l1", "lpips", "fid", "kid")
SHORT = ("ssim", "psnr", "lpips", "fid", "kid")


def print_scores(content: dict[str, Any]) -> None:
    """Print the content of a result file to standard output."""
    console = make_console(results=True)
    print_table(table_rows(content, console.width), console)
    for protocol, block in content["protocols"].items():
        if rows := region_rows(block):
            console.print(f"\n{protocol}, region by region\n")
            print_table(rows, console)
    console.print()
    for note in notes(content):
        console.print(note)


def print_comparison(comparison: Comparison) -> None:
    """Print a comparison to standard output; below it what was refused, and what neither result has.

    Raises:
        TryOnError: nothing can be compared.
    """
    if not comparison.rows:
        lines = "".join(f"\n  {reason}" for reason in comparison.refused)
        rule = f"have equal fingerprints; these differ (this result first):{lines}"
        raise TryOnError("results that are compared", expected=rule, hint="Score both folders the same way.")
    console = make_console(results=True)
    print_table([row for row in comparison.rows if not _empty(row)], console)
    for reason in comparison.refused + _absent(comparison.rows):
        console.print(f"not compared: {reason}")


def _absent(rows: list[dict[str, Cell]]) -> list[str]:
    """What neither result has: all numbers that are missing in the same places together."""
    places: dict[str, list[str]] = {}
    for row in filter(_empty, rows):
        places.setdefault(f"{row['protocol']} {row['number']}", []).append(str(row["category"]))
    names: dict[str, list[str]] = {}
    for name, categories in places.items():
        names.setdefault(", ".join(categories), []).append(name)
    return [f"{', '.join(own)}: neither has it ({where})" for where, own in names.items()]


def _empty(row: dict[str, Cell]) -> bool:
    return row["this"] is None and row["other"] is None


def table_rows(content: dict[str, Any], width: int) -> list[dict[str, Cell]]:
    """The table: one row a protocol and category."""
    wide = width >= NARROW
    names = COLUMNS if wide else SHORT
    rows: list[dict[str, Cell]] = []
    for protocol, block in content["protocols"].items():
        for place, numbers in block["numbers"].items():
            first = protocol if place == next(iter(block["numbers"])) else ""
            cells = {display_name(name): _cell(numbers, name, wide) for name in names}
            rows.append({"protocol": first, "category": place, "N": numbers["n"], **cells})
    return rows


def region_rows(block: dict[str, Any]) -> list[dict[str, Cell]]:
    """Table of a protocol that looks closer: one row a category and region with its pairwise metrics."""
    metrics = [name for name in COLUMNS if METRICS[name].pairwise]
    rows: list[dict[str, Cell]] = []
    for place, numbers in block["numbers"].items():
        category = place
        for region, words in REGIONS.items():
            keys = [key_of(name, region) for name in metrics]
            if region != IMAGE and any(key in numbers for key in keys):
                cells = {display_name(name): numbers.get(key) for name, key in zip(metrics, keys, strict=True)}
                rows.append({"category": category, "where": words, **cells})
                category = ""
    return rows


def _cell(numbers: Mapping[str, Any], name: str, wide: bool) -> Cell:
    value, deviation = numbers.get(name), numbers.get(f"{name}_std")
    return f"{format_cell(value)} ± {deviation:.2g}" if wide and None not in (value, deviation) else value


def display_name(name: str) -> str:
    """MS-SSIM for ms_ssim."""
    return name.replace("_", "-").upper()


def notes(content: dict[str, Any]) -> list[str]:
    """What belongs below the table: fingerprints, what is missing and why, and what to beware of."""
    told = []
    for name, block in content["protocols"].items():
        facts = block["fingerprint"]["numbers"]
        scaled = [
            f", {display_name(number)} times {own['scale']}" for number, own in facts.items() if own["scale"] != 1
        ]
        told.append(f"{name}: fingerprint {block['short']}{''.join(scaled)}")
        reasons: dict[str, list[str]] = {}
        for entry in block["unavailable"]:
            reasons.setdefault(entry["reason"], []).append(display_name(entry["number"]))
        told += [f"  no {', '.join(numbers)}: {reason}" for reason, numbers in reasons.items()]
        told += [f"  {warning}" for warning in block["warnings"]]
    if count := content["results"].get("by_person"):
        told.append(
            f"{count} files are named by their person alone; that they show the garment of the pair is taken on trust"
        )
    return told


COMPARISON_NARROW = 100
"""Terminals of fewer columns are not shown the difference itself, which lies amid its interval, nor the rows."""


def print_evaluations(content: dict[str, Any]) -> None:
    """Print the content of `compare.json` to standard output, setting by setting; of the metrics, those inside the
    garment."""
    console = make_console(results=True)
    for setting, lines in groupby(content["lines"], lambda line: line["setting"]):
        console.print(f"\n{setting}, inside the garment\n")
        print_table(comparison_rows(lines, console.width >= COMPARISON_NARROW), console)
    for reason in content["not_compared"]:
        console.print(f"not compared: {reason}")
    console.print(f"\nverdict on the first: {content['verdict']}. {content['reason']}.", soft_wrap=True)


def comparison_rows(lines: Iterable[dict[str, Any]], wide: bool) -> list[dict[str, Cell]]:
    """Rows of the table of one setting: category, metric, both means, interval of the difference, verdict."""
    inside = {key_of(name, region): name for name, region in pair_keys().values() if region == GARMENT}
    return [
        {
            "category": line["category"],
            "metric": inside[line["metric"]],
            "this": line["this"],
            "other": line["other"],
            **({"difference": line["difference"], "rows": line["rows"]} if wide else {}),
            "95 %": "–" if line["low"] is None else f"{line['low']:+.4f} to {line['high']:+.4f}",
            "verdict": line["verdict"],
        }
        for line in lines
        if line["metric"] in inside
    ]
