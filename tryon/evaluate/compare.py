"""One evaluation against another on the same rows: paired differences with intervals, and what they say together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tryon.categories import Category
from tryon.errors import MissingInputError, TryOnError, format_list
from tryon.evaluate.summary import KEY, MODEL
from tryon.metrics import METRICS
from tryon.metrics.pairwise import pair_keys
from tryon.metrics.regions import IMAGE
from tryon.scoring.bootstrap import LEVEL, Interval, Verdict, intervals_at, verdict
from tryon.scoring.fingerprint import (
    NUMBERS,
    REGIONS,
    ROWS,
    differences,
    differing_regions,
    shared_facts,
    whole_image_only_note,
)
from tryon.scoring.row_scores import ALL, RowScores

SCORES_FILE = "scores.parquet"
"""Numbers of every row, see `tryon.scoring.row_scores.SCORES`."""

METRICS_FILE = "metrics.json"
SEED = 0
"""Of the bootstrap: whoever compares the same two evaluations gets the same intervals."""

DECIMALS = 6

JUDGED_METRIC = 1 - (1 - LEVEL) / (len(Category) + 1)
"""Level of each interval that a judgement rests on, of the categories and of all rows: together they err no more often
than one of `LEVEL` does (Bonferroni)."""

MIN_ROWS_FOR_VERDICT = 20
"""Rows below which nothing is judged: intervals of fewer are too narrow. From here on two equal checkpoints are called
different in at most one comparison of twenty (docs/log.md)."""


@dataclass(frozen=True)
class SavedEvaluation:
    """What the evaluate stage left of a checkpoint: fingerprints by setting, and the numbers of rows."""

    fingerprints: Mapping[str, Any]
    scores: RowScores


@dataclass(frozen=True)
class MetricComparison:
    """One metric on one setting and category.

    Args:
        setting, category, key: what is compared.
        ours, theirs: means over the rows that both have.
        interval: of the mean of ours minus theirs.
        verdict: on ours, by this interval alone.
        judged: on ours, as one of several by which a checkpoint is judged.
    """

    setting: str
    category: str
    key: str
    ours: float
    theirs: float
    interval: Interval
    verdict: Verdict
    judged: Verdict


@dataclass(frozen=True)
class Comparison:
    """All lines, and what was not compared, with the reason."""

    lines: list[MetricComparison]
    refused: list[str]


@dataclass(frozen=True)
class Judgement:
    """One verdict on our checkpoint, and in words what it rests on.

    Args:
        verdict: better, worse or no difference.
        setting: the one it rests on.
        reason: one sentence.
    """

    verdict: Verdict
    setting: str
    reason: str


def read_evaluation(folder: Path) -> SavedEvaluation:
    """Read a folder that `tryon evaluate` wrote.

    Raises:
        MissingInputError: it is none, or one of a version without fingerprints.
    """
    path = folder / METRICS_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        fingerprints = content["fingerprints"]
        for facts in fingerprints.values():
            for block in facts[NUMBERS].values():
                block.items()
            for block in facts[ROWS].values():
                block[REGIONS]  # None where no true image is known, absent where an older version wrote it
        if not fingerprints:
            raise ValueError("no setting has one")
    except OSError as error:
        raise MissingInputError(str(path), expected="can be read", found=error.strerror, hint=_REMEDY) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        rule = "is the metrics.json of an evaluation with fingerprints"
        raise MissingInputError(
            str(path),
            expected=rule,
            found=f"{error} is missing" if isinstance(error, KeyError) else str(error),
            hint=_REMEDY,
        ) from error
    return SavedEvaluation(fingerprints, RowScores.read(folder / SCORES_FILE))


_REMEDY = "Name a folder that `tryon evaluate` wrote, such as data/evaluation."


def compare(ours: SavedEvaluation, theirs: SavedEvaluation, seed: int = SEED) -> Comparison:
    """Compare all that was made the same way on the same rows.

    Raises:
        TryOnError: nothing can be compared; what differs is told.
    """
    lines: list[MetricComparison] = []
    refused: list[str] = []
    others = [setting for setting in theirs.fingerprints if setting not in ours.fingerprints]
    refused += [f"{setting}: not in the first evaluation" for setting in others]
    for setting in ours.fingerprints:
        keys, reasons = _comparable(setting, ours, theirs)
        if keys and (why := _other_pairs(setting, ours.scores, theirs.scores)):
            keys, reasons = [], [why]
        refused += reasons
        lines += _lines(setting, keys, (ours.scores, theirs.scores), seed) if keys else []
    if not lines:
        told = "".join(f"\n  {reason}" for reason in refused) or "\n  no row of either has a true image"
        rule = f"are made the same way on the same rows; these differ (the first one's named first):{told}"
        raise TryOnError(
            "evaluations that are compared", expected=rule, hint="Score both checkpoints with one version."
        )
    return Comparison(lines, refused)


def _comparable(setting: str, ours: SavedEvaluation, theirs: SavedEvaluation) -> tuple[list[str], list[str]]:
    """Metric keys that may be compared, and what may not and why."""
    own, other = ours.fingerprints[setting], theirs.fingerprints.get(setting)
    if other is None:
        return [], [f"{setting}: not in the other evaluation"]
    if different := differences(shared_facts(own), shared_facts(other)):
        return [], [f"{setting}: {'; '.join(map(str, different))}"]
    reasons = {}
    for name, facts in own[NUMBERS].items():
        if different := differences(facts, other[NUMBERS].get(name, {})):
            reasons[name] = f"{setting} {name}: {'; '.join(map(str, different))}"
    named = {key: region for key, (name, region) in pair_keys().items() if name in own[NUMBERS] and name not in reasons}
    refused = list(reasons.values())
    places = differing_regions(own, other)
    if not places:
        return list(named), refused
    refused.append(f"{setting}: {whole_image_only_note(places)}")
    return [key for key, region in named.items() if region == IMAGE], refused


def _other_pairs(setting: str, ours: RowScores, theirs: RowScores) -> str:
    """What keeps the rows from being paired; empty when nothing does."""
    one, other = (set(scores.pair_ids(setting, MODEL)) for scores in (ours, theirs))
    parts = [f"pairs only in the first: {format_list(sorted(one - other))}"] if one - other else []
    parts += [f"pairs only in the second: {format_list(sorted(other - one))}"] if other - one else []
    return f"{setting}: {'; '.join(parts)}" if parts else ""


def _lines(setting: str, keys: list[str], both: tuple[RowScores, RowScores], seed: int) -> list[MetricComparison]:
    columns = [both[0].keys.index(key) for key in keys]
    ours, theirs = (scores.matrix(setting, MODEL)[:, columns] for scores in both)
    theirs = theirs[_same_order(*(scores.pair_ids(setting, MODEL) for scores in both))]
    counts = [len(both[0].pair_ids(setting, MODEL, str(category))) for category in Category]
    own = np.repeat(list(map(str, Category)), counts)
    places = [*map(str, Category), ALL]
    between = ours - theirs
    groups = np.column_stack([np.full(len(own), True) if place == ALL else own == place for place in places])
    lines = []
    told, wider = intervals_at(between, groups, seed, (LEVEL, JUDGED_METRIC))
    for place, row, wide, group in zip(places, told, wider, groups.T, strict=True):
        for number, (key, found, sure) in enumerate(zip(keys, row, wide, strict=True)):
            if found is not None and sure is not None:
                known = group & np.isfinite(between[:, number])
                means = float(ours[known, number].mean()), float(theirs[known, number].mean())
                lower = _lower_is_better(key)
                lines.append(
                    MetricComparison(setting, place, key, *means, found, verdict(found, lower), _judged(sure, lower))
                )
    return lines


def _same_order(wanted: list[str], given: list[str]) -> list[int]:
    """Where each of the `wanted` pairs is among those `given`."""
    position = {pair: number for number, pair in enumerate(given)}
    return [position[pair] for pair in wanted]


def _judged(between: Interval, lower_is_better: bool) -> Verdict:
    return verdict(between, lower_is_better) if between.rows >= MIN_ROWS_FOR_VERDICT else Verdict.NO_DIFFERENCE


def _lower_is_better(key: str) -> bool:
    return METRICS[pair_keys()[key][0]].better == "lower"


def overall_verdict(comparison: Comparison) -> Judgement:
    """The verdict on our checkpoint by the error inside the garment, in the setting that says most.

    That is the unpaired one where true images of it are known, else the paired one. Better is what is better on all
    rows and worse in no category; worse is what is worse on all rows or in a category: a gain in one category does not
    pay for a loss in another. Both with intervals wide enough for so many questions, and of rows enough.

    Raises:
        TryOnError: the error inside the garment is not among what could be compared.
    """
    own = [line for line in comparison.lines if line.key == KEY]
    setting = next((name for name in ("unpaired", "paired") if any(line.setting == name for line in own)), None)
    if setting is None:
        remedy = "Score both checkpoints with one version, on rows whose garment is seen in a true image."
        rule = f"has {KEY}, by which checkpoints are judged" + "".join(f"\n  {why}" for why in comparison.refused)
        raise TryOnError("the comparison", expected=rule, hint=remedy)
    lines = {line.category: line for line in own if line.setting == setting}
    overall = lines[ALL]
    worse = [category for category, line in lines.items() if category != ALL and line.judged is Verdict.WORSE]
    found = Verdict.WORSE if worse else overall.judged
    return Judgement(found, setting, _reason(overall, worse))


def _reason(overall: MetricComparison, worse: list[str]) -> str:
    one = overall.interval
    ends = "too few rows for an interval" if one.low is None else f"95 % interval {one.low:+.4f} to {one.high:+.4f}"
    told = f"L1 inside the garment, {overall.setting}, {one.rows} rows: {overall.ours:.4f} and {overall.theirs:.4f}, "
    how = f"judged at {JUDGED_METRIC:.2%}" if one.rows >= MIN_ROWS_FOR_VERDICT else "too few rows to judge"
    told += f"difference {one.mean:+.4f} ({ends}), {how}: {overall.judged}"
    return f"{told}; worse on {' and '.join(worse)}" if worse else told


def comparison_to_dict(comparison: Comparison) -> dict[str, Any]:
    """The content of `compare.json`."""
    judgement = overall_verdict(comparison)
    return {
        "verdict": str(judgement.verdict),
        "setting": judgement.setting,
        "reason": judgement.reason,
        "lines": [_told(line) for line in comparison.lines],
        "not_compared": comparison.refused,
    }


def _told(line: MetricComparison) -> dict[str, Any]:
    return {
        "setting": line.setting,
        "category": line.category,
        "metric": line.key,
        "this": _rounded(line.ours),
        "other": _rounded(line.theirs),
        "difference": _rounded(line.interval.mean),
        "low": _rounded(line.interval.low),
        "high": _rounded(line.interval.high),
        "rows": line.interval.rows,
        "verdict": str(line.verdict),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DECIMALS)
