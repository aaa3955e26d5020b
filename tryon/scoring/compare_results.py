"""One result beside another: numbers only where the fingerprints say that they can be compared, else what differs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tryon.errors import MissingInputError
from tryon.metrics.pairwise import key_of
from tryon.metrics.regions import IMAGE, REGIONS
from tryon.runtime.stage_result import Cell
from tryon.scoring.fingerprint import NUMBERS, ROWS, differences, differing_regions, shared_facts, whole_image_only_note

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
            _check(run)
        if not runs:
            raise ValueError("no runs")
        return runs
    except OSError as error:
        raise MissingInputError(str(path), expected="can be read", found=error.strerror) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        rule = "is a result of `tryon score --out`, or the metrics.json of a stage that writes fingerprints"
        value = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise MissingInputError(str(path), expected=rule, found=value) from error


def _check(run: Run) -> None:
    """Raises TypeError or ValueError where a damaged file holds something else in the place of facts and numbers."""
    blocks = [run.fingerprint, run.fingerprint[ROWS], run.fingerprint[NUMBERS], run.numbers]
    for block in (*blocks, *run.fingerprint[ROWS].values(), *run.fingerprint[NUMBERS].values(), *run.numbers.values()):
        if not isinstance(block, Mapping):
            raise TypeError(f"{block!r} where facts or numbers are expected")
    for place, numbers in run.numbers.items():
        for name, value in numbers.items():
            if value is not None and not (isinstance(value, int | float) and math.isfinite(value)):
                raise ValueError(f"{place} {name} is no number: {value!r}")


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
    one, other = shared_facts(ours.fingerprint), shared_facts(theirs.fingerprint)
    elsewhere = differing_regions(ours.fingerprint, theirs.fingerprint)
    rows, other_rows = one.pop(ROWS), other.pop(ROWS)
    if different := differences(one, other):
        found.refused.append(f"{who}: {'; '.join(map(str, different))}")
        return
    same = [place for place in rows if rows[place] == other_rows.get(place)]
    found.refused += [f"{who}: {told}" for told in _other_rows(rows, other_rows)]
    if len(same) == len(rows) == len(other_rows):
        same.append(ALL)
    if places := [place for place in same if place in elsewhere]:
        found.refused.append(f"{who}: {whole_image_only_note(places)}")
        elsewhere.append(ALL)
    both = [name for name in ours.fingerprint[NUMBERS] if name in theirs.fingerprint[NUMBERS]]
    names = [name for name in both if _comparable(name, ours, theirs, who, found)]
    for place in ours.numbers:
        if place in same and place in theirs.numbers:
            regions = [IMAGE] if place in elsewhere else list(REGIONS)
            keys = [key_of(name, region) for region in regions for name in names]
            shared = [key for key in keys if key in ours.numbers[place] and key in theirs.numbers[place]]
            found.rows += [_row(ours, theirs, place, key) for key in shared]


def _other_rows(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """What keeps categories from being compared: first those that only one has, by name alone."""
    told = [f"only this result has {place}" for place in ours if place not in theirs]
    told += [f"only the other result has {place}" for place in theirs if place not in ours]
    both = {place: (facts, theirs[place]) for place, facts in ours.items() if place in theirs}
    different = [f"{ROWS}.{place}.{each}" for place, pair in both.items() for each in differences(*pair)]
    return [*told, *(["; ".join(different)] if different else [])]


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
