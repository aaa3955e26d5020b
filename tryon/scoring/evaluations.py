"""Two evaluations side by side on a terminal: one table, the verdict, and what was not compared."""

from __future__ import annotations

from typing import Any

from tryon.console import show_table, terminal
from tryon.evaluation.scores import key_of, pair_keys
from tryon.metrics.regions import GARMENT
from tryon.summary import Cell


def show_evaluations(content: dict[str, Any]) -> None:
    """Print the content of `compare.json` to standard output; of the metrics, those inside the garment."""
    console = terminal(results=True)
    show_table(table_rows(content), console)
    for reason in content["not_compared"]:
        console.print(f"not compared: {reason}")
    console.print(f"verdict on the first: {content['verdict']}. {content['reason']}.")


def table_rows(content: dict[str, Any]) -> list[dict[str, Cell]]:
    """Rows of the table: setting, category, metric, both means, difference with interval, verdict."""
    inside = {key_of(name, region) for name, region in pair_keys().values() if region == GARMENT}
    return [
        {
            **{name: line[name] for name in ("setting", "category", "metric", "this", "other", "difference")},
            "95 %": "–" if line["low"] is None else f"{line['low']:+.4f} to {line['high']:+.4f}",
            "rows": line["rows"],
            "verdict": line["verdict"],
        }
        for line in content["lines"]
        if line["metric"] in inside
    ]
