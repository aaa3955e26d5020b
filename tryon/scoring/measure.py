"""From images to numbers per pair, and to features of sets: they stream by in batches, category by category."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tryon.categories import Category
from tryon.metrics.inception import FeatureExtractor
from tryon.metrics.metric import Features, Measure
from tryon.metrics.pairwise import score_pairs
from tryon.metrics.reference import reference_features
from tryon.metrics.regions import WHOLE_IMAGE, Regions, regions_of
from tryon.pretrained_weights import weight_path
from tryon.runtime.atomic_files import sha256_bytes
from tryon.runtime.process_pool import split_chunks
from tryon.runtime.progress import Progress
from tryon.scoring.fingerprint import TruthHashes
from tryon.scoring.protocols.preprocessing import read_image
from tryon.scoring.protocols.protocol import ImageArray, PreprocessedImage, Protocol, ProtocolMetric
from tryon.scoring.references import GroundTruthSource, Role
from tryon.scoring.result_folder import Results, TestPair, format_size
from tryon.workspace import Workspace


@dataclass(frozen=True)
class ScoringTask:
    """What is scored.

    Args:
        setting: paired or unpaired.
        references: the true images.
        lines: the pairs.
        results: their images.
    """

    setting: str
    references: GroundTruthSource
    lines: tuple[TestPair, ...]
    results: Results

    @property
    def role(self) -> Role:
        """The true image that each result is compared with."""
        return "person" if self.setting == "paired" else "truth"

    def of(self, category: Category) -> tuple[TestPair, ...]:
        """The pairs of one category."""
        return tuple(line for line in self.lines if line.category == category)

    @property
    def knows_garments(self) -> bool:
        """Whether it is known of every pair where the garment is in its true image."""
        return all(line.pair_id in self.references.known_garments for line in self.lines)

    @property
    def categories(self) -> list[Category]:
        """Categories with pairs."""
        return [category for category in Category if self.of(category)]


@dataclass(frozen=True)
class ScoringContext:
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
class RawScores:
    """Numbers per pair by key and category, features by number and category, and the hashes of the true images."""

    pairs: dict[str, dict[Category, NDArray[np.float64]]] = field(default_factory=dict)
    sets: dict[str, dict[Category, tuple[Features, Features]]] = field(default_factory=dict)
    hashes: dict[Category, TruthHashes] = field(default_factory=dict)


class ShapeError(Exception):
    """A result and its true image are not of one size, so that the protocol cannot compare them."""


def measure(protocol: Protocol, task: ScoringTask, bench: ScoringContext, reasons: Collection[str]) -> RawScores:
    """Compare all pairs, and see the features of all sets.

    Args:
        protocol: how.
        task: what.
        bench: where.
        reasons: numbers that are left out.

    Raises:
        ShapeError: a result is not as large as its true image.
        MissingInputError: a true image is absent or has changed.
        TryOnError: a packed image is damaged.
    """
    open_numbers = [number for number in protocol.numbers if number.name not in reasons]
    measures = {number.name: _measure(number, bench) for number in open_numbers if number.metric.pairwise}
    extractors = {number.name: _extractor(number, bench) for number in open_numbers if not number.metric.pairwise}
    found = RawScores(sets={name: {} for name in extractors})
    done = 0
    for category in task.categories:
        gatherer = _Category(protocol, task, bench, found.hashes.setdefault(category, TruthHashes()))
        for batch in split_chunks(task.of(category), bench.batch_size):
            gatherer.add(batch, measures, extractors)
            done += len(batch)
            bench.progress(done, len(task.lines), f"pairs scored ({protocol.name})")
        for key, rows in gatherer.pairs.items():
            found.pairs.setdefault(key, {})[category] = np.concatenate(rows)
        for name, extractor in extractors.items():
            people = gatherer.people(extractor, task.of(category))
            found.sets[name][category] = np.concatenate(gatherer.features[extractor.identity]), people
    return found


class _Category:
    """The pairs of one category, batch by batch."""

    def __init__(self, protocol: Protocol, task: ScoringTask, bench: ScoringContext, hashes: TruthHashes) -> None:
        self.protocol, self.task, self.bench, self.hashes = protocol, task, bench, hashes
        self.pairs: dict[str, list[NDArray[np.float64]]] = {}
        self.features: dict[str, list[Features]] = {}
        self._people: list[str] = []

    def add(
        self, lines: Sequence[TestPair], measures: dict[str, Measure], extractors: dict[str, FeatureExtractor]
    ) -> None:
        """Score a batch."""
        results = [
            self.protocol.result(read_image(self.task.results.files[line.pair_id]), self.task.results.format)
            for line in lines
        ]
        people = self._read(lines, "person")
        if extractors:
            self._people += [sha256_bytes(self._treated(image).set.tobytes()) for image in people]
        if measures:
            targets = people if self.task.role == "person" else self._read(lines, self.task.role)
            ours = np.stack([one.pair for one in results])
            true = np.stack([self._treated(image).pair for image in targets])
            if ours.shape != true.shape:
                sizes = (format_size((one.shape[1], one.shape[2])) for one in (ours, true))
                raise ShapeError("made ready to be compared, results are {} and true images {}".format(*sizes))
            for name, rows in score_pairs(measures, ours, true, self._regions(lines)).items():
                self.pairs.setdefault(name, []).append(rows)
        for identity, extractor in {own.identity: own for own in extractors.values()}.items():
            self.features.setdefault(identity, []).append(extractor(np.stack([one.set for one in results])))

    def _regions(self, lines: Sequence[TestPair]) -> Regions:
        """Where the numbers of a batch look: the whole image alone, where nobody says more."""
        if not (self.protocol.regions and self.task.knows_garments):
            return WHOLE_IMAGE
        garments, keypoints = zip(*(self.task.references.garment(line) for line in lines), strict=True)
        found = regions_of(np.stack(garments), np.stack(keypoints))
        self.hashes.add_regions(ids(lines), found)
        return found

    def people(self, extractor: FeatureExtractor, lines: Sequence[TestPair]) -> Features:
        """Features of the people, kept by content from the last time."""
        return reference_features(
            extractor, self._people, self._batches(lines), self.bench.workspace.work_dir("score") / "features"
        )

    def _batches(self, lines: Sequence[TestPair]) -> Iterator[NDArray[np.uint8]]:
        for batch in split_chunks(lines, self.bench.batch_size):
            yield np.stack([self._treated(image).set for image in self._read(batch, "person")])

    def _read(self, lines: Sequence[TestPair], role: Role) -> list[ImageArray]:
        source, size = self.task.references, self.protocol.size or self.task.references.native
        if self.protocol.sizes == "rows":
            size = source.native
        if self.protocol.reference == "packed":
            images = [source.packed(line, role, size) for line in lines]
        else:
            images = [source.original(line, role) for line in lines]
        self.hashes.add(ids(lines), role, images)
        return images

    def _treated(self, image: ImageArray) -> PreprocessedImage:
        return self.protocol.true_image(image, self.task.results.size)


def _measure(number: ProtocolMetric, bench: ScoringContext) -> Measure:
    metric = number.metric
    assert metric.measure is not None
    return metric.measure(weight_path(bench.workspace, metric.weights) if metric.weights else None, bench.device)


def _extractor(number: ProtocolMetric, bench: ScoringContext) -> FeatureExtractor:
    assert number.metric.extract is not None
    assert number.metric.weights is not None
    return number.metric.extract(weight_path(bench.workspace, number.metric.weights), bench.device)


def ids(lines: Sequence[TestPair]) -> list[str]:
    """Pair ids of some lines."""
    return [line.pair_id for line in lines]
