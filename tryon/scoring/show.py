"""Results of scoring on a terminal: one table, and below it what must be read with it."""

from __future__ import annotations

from typing import Any

from tryon.console import show_table, terminal
from tryon.errors import TryOnError
from tryon.scoring.comparison import Comparison
from tryon.summary import Cell

NARROW = 100
"""Terminals of fewer columns are shown the numbers of `SHORT` alone."""

COLUMNS = ("ssim", "ms_ssim", "psnr", "l1", "lpips", "fid", "kid")
SHORT = ("ssim", "psnr", "lpips", "fid", "kid")


def show_scores(content: dict[str, Any]) -> None:
    """Print the content of a result file to standard output."""
    console = terminal(results=True)
    show_table(table_rows(content, console.width), console)
    for note in notes(content):
        console.print(note)


def show_comparison(comparison: Comparison) -> None:
    """Print a comparison to standard output, what was refused below it.

    Raises:
        TryOnError: nothing can be compared.
    """
    if not comparison.rows:
        lines = "".join(f"\n  {reason}" for reason in comparison.refused)
        rule = f"have equal fingerprints; these differ (this result first):{lines}"
        raise TryOnError("results that are compared", rule=rule, remedy="Score both folders the same way.")
    console = terminal(results=True)
    show_table(comparison.rows, console)
    for reason in comparison.refused:
        console.print(f"not compared: {reason}")


def table_rows(content: dict[str, Any], width: int) -> list[dict[str, Cell]]:
    """The table: one row a protocol and category."""
    names = COLUMNS if width >= NARROW else SHORT
    rows: list[dict[str, Cell]] = []
    for protocol, block in content["protocols"].items():
        for place, numbers in block["numbers"].items():
            first = protocol if place == next(iter(block["numbers"])) else ""
            shown = {titled(name): numbers.get(name) for name in names}
            rows.append({"protocol": first, "category": place, "N": numbers["n"], **shown})
    return rows


def titled(name: str) -> str:
    """MS-SSIM for ms_ssim."""
    return name.replace("_", "-").upper()


def notes(content: dict[str, Any]) -> list[str]:
    """What belongs below the table: fingerprints, what is missing and why, and what to beware of."""
    told = []
    for name, block in content["protocols"].items():
        facts = block["fingerprint"]["numbers"]
        scaled = [f", {titled(number)} times {own['scale']}" for number, own in facts.items() if own["scale"] != 1]
        told.append(f"{name}: fingerprint {block['short']}{''.join(scaled)}")
        reasons: dict[str, list[str]] = {}
        for entry in block["unavailable"]:
            reasons.setdefault(entry["reason"], []).append(titled(entry["number"]))
        told += [f"  no {', '.join(numbers)}: {reason}" for reason, numbers in reasons.items()]
        told += [f"  {warning}" for warning in block["warnings"]]
    return told
