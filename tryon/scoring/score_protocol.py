"""Scoring one folder by one protocol: every number of every category, why some are missing, and the fingerprint."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from tryon.categories import Category
from tryon.errors import MissingInputError, WeightsError
from tryon.metrics.metric import mean
from tryon.metrics.pairwise import key_of
from tryon.metrics.reference import Reference
from tryon.metrics.regions import IMAGE, REGIONS
from tryon.pretrained_weights import COMMAND, WEIGHTS, MissingWeightsError, weight_path
from tryon.scoring.fingerprint import TruthHashes, fingerprint, rows_facts, short_fingerprint
from tryon.scoring.measure import RawScores, ScoringContext, ScoringTask, ShapeError, ids, measure
from tryon.scoring.metric_availability import EMPTY, NO_SPREAD
from tryon.scoring.protocols.preprocessing import read_image
from tryon.scoring.protocols.protocol import Protocol, ProtocolMetric
from tryon.scoring.result_folder import format_size
from tryon.workspace import Workspace

ALL = "all"
"""Every category together, each pair counting once."""

DECIMALS = 8

NO_GARMENTS = "where the garment is in the true image is not known of every pair"

Block = dict[str, Any]
"""What one protocol says: `numbers` by category, `unavailable`, `warnings`, `fingerprint`."""

Numbers = dict[str, float | None]


def score_protocol(protocol: Protocol, task: ScoringTask, bench: ScoringContext) -> Block:
    """Every number of a protocol, or None with the reason.

    Raises:
        WeightsError: a file of weights is damaged.
        TryOnError: a packed image is damaged.
    """
    reasons, gathered = size_mismatch(protocol, task), RawScores()
    if not reasons:
        reasons = unavailable(protocol, task, bench)
        try:
            gathered = measure(protocol, task, bench, reasons)
        except ShapeError as error:
            reasons = {number.name: str(error) for number in protocol.numbers}
        except MissingInputError as error:
            reasons = {number.name: f"the {protocol.reference} photos: {error}" for number in protocol.numbers}
    places = [*task.categories, *([ALL] if len(task.categories) > 1 else [])]
    numbers = {str(place): _numbers(protocol, place, gathered) for place in places}
    facts = _facts(protocol, task, gathered, bench)
    counts = {str(category): len(task.of(category)) for category in task.categories} | {ALL: len(task.lines)}
    return {
        "numbers": {place: {"n": counts[place], **own} for place, own in numbers.items()},
        "unavailable": [
            {"number": key, "reason": reason}
            for key, reason in (reasons | _empty(protocol, task, numbers, reasons)).items()
        ],
        "warnings": warnings(protocol, task, gathered.sets),
        "fingerprint": facts,
        "short": short_fingerprint(facts),
    }


def _facts(protocol: Protocol, task: ScoringTask, gathered: RawScores, bench: ScoringContext) -> dict[str, Any]:
    rows = {
        str(category): rows_facts(ids(task.of(category)), gathered.hashes.get(category, TruthHashes()))
        for category in task.categories
    }
    return fingerprint(protocol, task.setting, (task.results.size, task.results.format), rows, bench.workspace)


def size_mismatch(protocol: Protocol, task: ScoringTask) -> dict[str, str]:
    """Why results of this size cannot be scored by the protocol, for each of its numbers; empty when they can."""
    wanted = {"any": None, "size": protocol.size, "rows": task.references.native}[protocol.sizes]
    if wanted is None or task.results.size == wanted:
        return {}
    reason = f"results are {format_size(task.results.size)}, and {protocol.name} takes {format_size(wanted)}"
    return {number.name: reason for number in protocol.numbers}


def warnings(protocol: Protocol, task: ScoringTask, sets: Collection[str]) -> list[str]:
    """What must be read with the numbers: bias of small sets, and where this is not what the protocol is about."""
    counts = {str(category): len(task.of(category)) for category in task.categories}
    if len(counts) > 1:
        counts[ALL] = len(task.lines)
    told = []
    for number in protocol.numbers:
        metric = number.metric
        few = [f"{place} {count}" for place, count in counts.items() if count < metric.recommended_samples]
        if few and number.name in sets:
            told.append(
                f"with fewer than {metric.recommended_samples:,} images {metric.small_sample_warning} ({', '.join(few)})"
            )
    found, size = task.results, protocol.size
    if protocol.format not in (None, found.format):
        told.append(f"results are {found.format} files, not the protocol's {protocol.format}")
    if size not in (None, found.size):
        told.append(f"results are {format_size(found.size)}, not the protocol's {format_size(size)}")
    if any(len(task.of(category)) != protocol.rows for category in task.categories):
        told.append(f"these are not the protocol's {protocol.rows:,} pairs per category")
    return told


def unavailable(protocol: Protocol, task: ScoringTask, bench: ScoringContext) -> dict[str, str]:
    """Why numbers of a protocol will be missing, as far as is known before anything is compared."""
    first = read_image(next(iter(task.results.files.values())))
    side = min(protocol.result(first, task.results.format).pair.shape[:2])
    known = sum(line.pair_id in task.references.true_pairs for line in task.lines)
    found: dict[str, str] = {}
    for number in protocol.numbers:
        metric = number.metric
        if metric.pairwise and known < len(task.lines):
            found[number.name] = (
                f"{f'only {known}' if known else 'none'} of the {len(task.lines)} pairs have a true image of that "
                "person in that garment, and comparing with the person in other clothes means nothing"
            )
        elif metric.pairwise and side < metric.min_side:
            found[number.name] = f"images are smaller than {metric.min_side} pixels"
        elif not metric.pairwise and min(len(task.of(one)) for one in task.categories) < metric.min_side_for:
            found[number.name] = f"it needs at least {metric.min_side_for} images of each category"
        elif metric.weights and (reason := _no_weights(metric.weights, bench.workspace)):
            found[number.name] = reason
    return found


def _no_weights(name: str, workspace: Workspace) -> str:
    try:
        weight_path(workspace, name)
    except WeightsError as error:
        if not isinstance(error, MissingWeightsError):
            raise
        return f"its weights {WEIGHTS[name].file} are not here; `{COMMAND}` fetches them"
    return ""


def _keys(protocol: Protocol) -> dict[str, tuple[ProtocolMetric, str]]:
    """Every key of a protocol's numbers with its number and region: whole images and sets of them, then regions."""
    whole = {
        key.replace(number.metric.name, number.name): (number, IMAGE)
        for number in protocol.numbers
        for key in (number.metric.name, *number.metric.extra_outputs)
    }
    regions = [region for region in REGIONS if region != IMAGE] if protocol.regions else []
    pairwise = [number for number in protocol.numbers if number.metric.pairwise]
    return whole | {key_of(own.name, region): (own, region) for region in regions for own in pairwise}


def _numbers(protocol: Protocol, place: Category | str, gathered: RawScores) -> Numbers:
    found: Numbers = dict.fromkeys(_keys(protocol))
    for key in found:
        if rows := gathered.pairs.get(key):
            found[key] = _rounded(mean(np.concatenate(_at(rows, place))))
    for number in protocol.numbers:
        if sets := gathered.sets.get(number.name):
            results, people = (np.concatenate(each) for each in zip(*_at(sets, place), strict=True))
            assert number.metric.distance is not None
            told = number.metric.distance(results, Reference(people))
            found |= {key.replace(number.metric.name, number.name): _rounded(value * number.scale)
                      for key, value in told.items()}  # fmt: skip
    return found


def _empty(
    protocol: Protocol, task: ScoringTask, numbers: Mapping[str, Numbers], reasons: Mapping[str, str]
) -> dict[str, str]:
    """Reasons for keys that have no number although their metric has one."""
    found: dict[str, str] = {}
    for key, (number, region) in _keys(protocol).items():
        without = [place for place, own in numbers.items() if own[key] is None]
        if without and number.name not in reasons:
            reason = NO_SPREAD if not number.metric.pairwise else EMPTY[region] if task.knows_garments else NO_GARMENTS
            found[key] = reason if len(without) == len(numbers) else f"{reason} ({', '.join(without)})"
    return found


def _at(by_category: dict[Category, Any], place: Category | str) -> list[Any]:
    return list(by_category.values()) if place == ALL else [by_category[Category(place)]]


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), DECIMALS)
