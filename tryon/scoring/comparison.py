"""One result beside another: numbers only where the fingerprints say that they can be compared, else what differs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tryon.errors import MissingInputError
from tryon.scoring.fingerprint import NUMBERS, common, differences
from tryon.summary import Cell

ROWS = "rows"
ALL = "all"


@dataclass(frozen=True)
class Run:
    """The numbers of one protocol and setting: category or `all` → name → number."""

    protocol: str
    setting: str
    fingerprint: Mapping[str, Any]
    numbers: Mapping[str, Mapping[str, Any]]


@dataclass
class Comparison:
    """Rows of a table, and for what is not in it the reasons."""

    rows: list[dict[str, Cell]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def read_runs(path: Path) -> list[Run]:
    """The runs of a file that `tryon score --out` wrote, or of the evaluate stage's `metrics.json`.

    Raises:
        MissingInputError: it is neither.
    """
    try:
        runs = runs_of(json.loads(path.read_text(encoding="utf-8")))
        for run in runs:
            for part in (run.fingerprint[ROWS], run.fingerprint[NUMBERS], run.numbers, *run.numbers.values()):
                part.items()
        if not runs:
            raise ValueError("no runs")
        return runs
    except OSError as error:
        raise MissingInputError(str(path), rule="can be read", value=error.strerror) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        rule = "is a result of `tryon score --out`, or the metrics.json of a stage that writes fingerprints"
        raise MissingInputError(str(path), rule=rule, value=f"{type(error).__name__}: {error}") from error


def runs_of(content: Mapping[str, Any]) -> list[Run]:
    """The runs in the content of such a file."""
    if "protocols" in content:
        blocks = content["protocols"]
        return [Run(name, content["setting"], own["fingerprint"], own["numbers"]) for name, own in blocks.items()]
    return [
        Run(
            own["protocol"], setting, own, {place: rows["model"] for place, rows in content["metrics"][setting].items()}
        )
        for setting, own in content["fingerprints"].items()
    ]


def compared(ours: list[Run], theirs: list[Run]) -> Comparison:
    """Put every run beside that of the same protocol and setting."""
    others = {(run.protocol, run.setting): run for run in theirs}
    found = Comparison()
    for run in ours:
        other = others.get((run.protocol, run.setting))
        if other is None:
            there = ", ".join(f"{protocol} {setting}" for protocol, setting in others)
            found.refused.append(f"{run.protocol} {run.setting}: not in the other result, which has {there}")
        else:
            _compare(run, other, found)
    return found


def _compare(ours: Run, theirs: Run, found: Comparison) -> None:
    who = f"{ours.protocol} {ours.setting}"
    one, other = common(ours.fingerprint), common(theirs.fingerprint)
    rows, other_rows = one.pop(ROWS), other.pop(ROWS)
    if different := differences(one, other):
        found.refused.append(f"{who}: {'; '.join(map(str, different))}")
        return
    same = {place for place in {*rows, *other_rows} if rows.get(place) == other_rows.get(place)}
    if different := differences(rows, other_rows):
        found.refused.append(f"{who}: {'; '.join(f'{ROWS}.{each}' for each in different)}")
    else:
        same.add(ALL)
    both = [name for name in ours.fingerprint[NUMBERS] if name in theirs.fingerprint[NUMBERS]]
    names = [name for name in both if _comparable(name, ours, theirs, who, found)]
    for place in ours.numbers:
        if place in same and place in theirs.numbers:
            found.rows += [_row(ours, theirs, place, name) for name in names]


def _comparable(name: str, ours: Run, theirs: Run, who: str, found: Comparison) -> bool:
    one, other = ours.fingerprint[NUMBERS][name], theirs.fingerprint[NUMBERS][name]
    different = differences(one, other)
    if different:
        found.refused.append(f"{who} {name}: {'; '.join(map(str, different))}")
    return not different


def _row(ours: Run, theirs: Run, place: str, name: str) -> dict[str, Cell]:
    one, other = ours.numbers[place].get(name), theirs.numbers[place].get(name)
    difference = None if one is None or other is None else one - other
    return {
        "protocol": ours.protocol,
        "category": place,
        "number": name,
        "this": one,
        "other": other,
        "difference": difference,
    }
