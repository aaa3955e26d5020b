"""Scoring one folder by one protocol: pictures stream by in batches, category by category."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tryon.categories import Category
from tryon.errors import MissingInputError, WeightsError
from tryon.evaluation.scores import score_pairs
from tryon.files import sha256_bytes
from tryon.metrics.inception import Extractor
from tryon.metrics.metric import Features, Measure
from tryon.metrics.reference import Reference, reference_features
from tryon.metrics.regions import WHOLE
from tryon.progress import Progress
from tryon.scoring.fingerprint import PictureHashes, fingerprint, rows_facts, short
from tryon.scoring.folder import Line, Results, read_picture, spelled
from tryon.scoring.protocols.protocol import Number, Picture, Protocol, Treated
from tryon.scoring.references import References, Role
from tryon.weights import COMMAND, WEIGHTS, weight_path
from tryon.workers import shards
from tryon.workspace import Workspace

ALL = "all"
"""Every category together, each pair counting once."""

DECIMALS = 8

Block = dict[str, Any]
"""What one protocol says: `numbers` by category, `unavailable`, `warnings`, `fingerprint`."""


@dataclass(frozen=True)
class Task:
    """What is scored.

    Args:
        setting: paired or unpaired.
        references: the true pictures.
        lines: the pairs.
        results: their pictures.
    """

    setting: str
    references: References
    lines: tuple[Line, ...]
    results: Results

    @property
    def role(self) -> Role:
        """The true picture that each result is compared with."""
        return "person" if self.setting == "paired" else "truth"

    def of(self, category: Category) -> tuple[Line, ...]:
        """The pairs of one category."""
        return tuple(line for line in self.lines if line.category == category)

    @property
    def categories(self) -> list[Category]:
        """Categories with pairs."""
        return [category for category in Category if self.of(category)]


@dataclass(frozen=True)
class Bench:
    """Where and how it is computed.

    Args:
        workspace: its `weights` and `staging` folders are used.
        device: of torch.
        batch_size: pairs at a time.
        progress: told pairs.
    """

    workspace: Workspace
    device: str
    batch_size: int
    progress: Progress


@dataclass
class _Gathered:
    """Numbers per pair and features, by number and category, and the hashes of the true pictures."""

    pairs: dict[str, dict[Category, NDArray[np.float64]]] = field(default_factory=dict)
    sets: dict[str, dict[Category, tuple[Features, Features]]] = field(default_factory=dict)
    hashes: dict[Category, PictureHashes] = field(default_factory=dict)


class _ShapeError(Exception):
    """A result and its true picture are not of one size, so that the protocol cannot compare them."""


def score(protocol: Protocol, task: Task, bench: Bench) -> Block:
    """Every number of a protocol, or None with the reason.

    Raises:
        WeightsError: a file of weights is damaged.
        TryOnError: a packed picture is damaged.
    """
    reasons, gathered = misfit(protocol, task), _Gathered()
    if not reasons:
        reasons = _unavailable(protocol, task, bench)
        try:
            gathered = _gather(protocol, task, bench, reasons)
        except _ShapeError as error:
            reasons = {number.name: str(error) for number in protocol.numbers}
        except MissingInputError as error:
            reasons = {number.name: f"the {protocol.reference} photos: {error}" for number in protocol.numbers}
    rows = {
        str(category): rows_facts(_ids(task.of(category)), gathered.hashes.get(category, PictureHashes()))
        for category in task.categories
    }
    facts = fingerprint(protocol, task.setting, (task.results.size, task.results.format), rows, bench.workspace)
    places = [*task.categories, *([ALL] if len(task.categories) > 1 else [])]
    return {
        "numbers": {
            str(place): {"n": len(_lines(task, place))} | _numbers(protocol, place, gathered) for place in places
        },
        "unavailable": [{"number": name, "reason": reason} for name, reason in reasons.items()],
        "warnings": warnings(protocol, task, gathered.sets),
        "fingerprint": facts,
        "short": short(facts),
    }


def misfit(protocol: Protocol, task: Task) -> dict[str, str]:
    """Why results of this size cannot be scored by the protocol, for each of its numbers; empty when they can."""
    wanted = {"any": None, "size": protocol.size, "rows": task.references.native}[protocol.sizes]
    if wanted is None or task.results.size == wanted:
        return {}
    reason = f"results are {spelled(task.results.size)}, and {protocol.name} takes {spelled(wanted)}"
    return {number.name: reason for number in protocol.numbers}


def warnings(protocol: Protocol, task: Task, sets: Collection[str]) -> list[str]:
    """What must be read with the numbers: bias of small sets, and where this is not what the protocol is about."""
    counts = {str(category): len(task.of(category)) for category in task.categories}
    if len(counts) > 1:
        counts[ALL] = len(task.lines)
    told = []
    for number in protocol.numbers:
        metric = number.metric
        few = [f"{place} {count}" for place, count in counts.items() if count < metric.enough]
        if few and number.name in sets:
            told.append(f"with fewer than {metric.enough:,} pictures {metric.caution} ({', '.join(few)})")
    found, size = task.results, protocol.size
    if protocol.format not in (None, found.format):
        told.append(f"results are {found.format} files, not the protocol's {protocol.format}")
    if size not in (None, found.size):
        told.append(f"results are {spelled(found.size)}, not the protocol's {spelled(size)}")
    if any(len(task.of(category)) != protocol.rows for category in task.categories):
        told.append(f"these are not the protocol's {protocol.rows:,} pairs per category")
    return told


def _unavailable(protocol: Protocol, task: Task, bench: Bench) -> dict[str, str]:
    """Reasons known before any picture is read, by number."""
    first = read_picture(next(iter(task.results.files.values())))
    side = min(protocol.result(first, task.results.format).pair.shape[:2])
    known = sum(line.pair_id in task.references.true_pairs for line in task.lines)
    found: dict[str, str] = {}
    for number in protocol.numbers:
        metric = number.metric
        if metric.pairwise and known < len(task.lines):
            found[number.name] = (
                f"{f'only {known}' if known else 'none'} of the {len(task.lines)} pairs have a true picture of that "
                "person in that garment, and comparing with the person in other clothes means nothing"
            )
        elif metric.pairwise and side < metric.least_side:
            found[number.name] = f"pictures are smaller than {metric.least_side} pixels"
        elif not metric.pairwise and min(len(task.of(one)) for one in task.categories) < metric.least:
            found[number.name] = f"it needs at least {metric.least} pictures of each category"
        elif metric.weights and (reason := _no_weights(metric.weights, bench.workspace)):
            found[number.name] = reason
    return found


def _no_weights(name: str, workspace: Workspace) -> str:
    try:
        weight_path(workspace, name)
    except WeightsError as error:
        if error.rule != "exists":
            raise
        return f"its weights {WEIGHTS[name].file} are not here; `{COMMAND}` fetches them"
    return ""


def _gather(protocol: Protocol, task: Task, bench: Bench, reasons: dict[str, str]) -> _Gathered:
    open_numbers = [number for number in protocol.numbers if number.name not in reasons]
    measures = {number.name: _measure(number, bench) for number in open_numbers if number.metric.pairwise}
    extractors = {number.name: _extractor(number, bench) for number in open_numbers if not number.metric.pairwise}
    found = _Gathered({name: {} for name in measures}, {name: {} for name in extractors})
    done = 0
    for category in task.categories:
        gatherer = _Category(protocol, task, bench, found.hashes.setdefault(category, PictureHashes()))
        for batch in shards(task.of(category), bench.batch_size):
            gatherer.add(batch, measures, extractors)
            done += len(batch)
            bench.progress(done, len(task.lines), f"pairs scored ({protocol.name})")
        for name in measures:
            found.pairs[name][category] = np.concatenate(gatherer.pairs[name])
        for name, extractor in extractors.items():
            people = gatherer.people(extractor, task.of(category))
            found.sets[name][category] = np.concatenate(gatherer.features[extractor.identity]), people
    return found


class _Category:
    """The pairs of one category, batch by batch."""

    def __init__(self, protocol: Protocol, task: Task, bench: Bench, hashes: PictureHashes) -> None:
        self.protocol, self.task, self.bench, self.hashes = protocol, task, bench, hashes
        self.pairs: dict[str, list[NDArray[np.float64]]] = {}
        self.features: dict[str, list[Features]] = {}
        self._people: list[str] = []

    def add(self, lines: Sequence[Line], measures: dict[str, Measure], extractors: dict[str, Extractor]) -> None:
        """Score a batch."""
        results = [
            self.protocol.result(read_picture(self.task.results.files[line.pair_id]), self.task.results.format)
            for line in lines
        ]
        people = self._read(lines, "person")
        if extractors:
            self._people += [sha256_bytes(self._treated(picture).set.tobytes()) for picture in people]
        if measures:
            targets = people if self.task.role == "person" else self._read(lines, self.task.role)
            ours = np.stack([one.pair for one in results])
            true = np.stack([self._treated(picture).pair for picture in targets])
            if ours.shape != true.shape:
                sizes = (spelled((one.shape[1], one.shape[2])) for one in (ours, true))
                raise _ShapeError("made ready to be compared, results are {} and true pictures {}".format(*sizes))
            for name, rows in score_pairs(measures, ours, true, WHOLE).items():
                self.pairs.setdefault(name, []).append(rows)
        for identity, extractor in {own.identity: own for own in extractors.values()}.items():
            self.features.setdefault(identity, []).append(extractor(np.stack([one.set for one in results])))

    def people(self, extractor: Extractor, lines: Sequence[Line]) -> Features:
        """Features of the people, kept by content from the last time."""
        return reference_features(
            extractor, self._people, self._batches(lines), self.bench.workspace.staging("score") / "features"
        )

    def _batches(self, lines: Sequence[Line]) -> Iterator[NDArray[np.uint8]]:
        for batch in shards(lines, self.bench.batch_size):
            yield np.stack([self._treated(picture).set for picture in self._read(batch, "person")])

    def _read(self, lines: Sequence[Line], role: Role) -> list[Picture]:
        source, size = self.task.references, self.protocol.size or self.task.references.native
        if self.protocol.sizes == "rows":
            size = source.native
        if self.protocol.reference == "packed":
            pictures = [source.packed(line, role, size) for line in lines]
        else:
            pictures = [source.original(line, role) for line in lines]
        self.hashes.add(_ids(lines), role, pictures)
        return pictures

    def _treated(self, picture: Picture) -> Treated:
        return self.protocol.true_picture(picture, self.task.results.size)


def _measure(number: Number, bench: Bench) -> Measure:
    metric = number.metric
    assert metric.measure is not None
    return metric.measure(weight_path(bench.workspace, metric.weights) if metric.weights else None, bench.device)


def _extractor(number: Number, bench: Bench) -> Extractor:
    assert number.metric.extract is not None
    assert number.metric.weights is not None
    return number.metric.extract(weight_path(bench.workspace, number.metric.weights), bench.device)


def _numbers(protocol: Protocol, place: Category | str, gathered: _Gathered) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for number in protocol.numbers:
        found[number.name] = None
        if pairs := gathered.pairs.get(number.name):
            found[number.name] = _rounded(np.concatenate(_at(pairs, place)).mean())
        elif sets := gathered.sets.get(number.name):
            results, people = (np.concatenate(each) for each in zip(*_at(sets, place), strict=True))
            assert number.metric.distance is not None
            told = number.metric.distance(results, Reference(people))
            found |= {key.replace(number.metric.name, number.name): _rounded(value * number.scale)
                      for key, value in told.items()}  # fmt: skip
    return found


def _at(by_category: dict[Category, Any], place: Category | str) -> list[Any]:
    return list(by_category.values()) if place == ALL else [by_category[Category(place)]]


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), DECIMALS)


def _lines(task: Task, place: Category | str) -> tuple[Line, ...]:
    return task.lines if place == ALL else task.of(Category(place))


def _ids(lines: Sequence[Line]) -> list[str]:
    return [line.pair_id for line in lines]
