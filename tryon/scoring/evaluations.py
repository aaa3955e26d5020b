"""Two evaluations side by side on a terminal: one table, the verdict, and what was not compared."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from tryon.console import show_table, terminal
from tryon.metrics.pairwise import key_of, pair_keys
from tryon.metrics.regions import GARMENT
from tryon.summary import Cell

NARROW = 100
"""Terminals of fewer columns are not shown the difference itself, which lies amid its interval, nor the rows."""


def show_evaluations(content: dict[str, Any]) -> None:
    """Print the content of `compare.json` to standard output, setting by setting; of the metrics, those inside the
    garment."""
    console = terminal(results=True)
    for setting, lines in groupby(content["lines"], lambda line: line["setting"]):
        console.print(f"\n{setting}, inside the garment\n")
        show_table(table_rows(lines, console.width >= NARROW), console)
    for reason in content["not_compared"]:
        console.print(f"not compared: {reason}")
    console.print(f"\nverdict on the first: {content['verdict']}. {content['reason']}.", soft_wrap=True)


def table_rows(lines: Iterable[dict[str, Any]], wide: bool) -> list[dict[str, Cell]]:
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
