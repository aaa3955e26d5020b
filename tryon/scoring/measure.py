"""Score results against ground truth by every metric of a protocol, in one pass.

Used by the evaluate stage and `tryon score`. A `ScoringSource` yields batches by category; only scores, features and
hashes are retained.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tryon.categories import ALL, Category
from tryon.metrics.image_pair import ImageBatch
from tryon.metrics.inception import FeatureExtractor
from tryon.metrics.metric import Features
from tryon.metrics.pairwise import score_pairs
from tryon.metrics.reference import Reference, reference_features
from tryon.metrics.regions import Regions
from tryon.runtime.atomic_files import sha256_bytes
from tryon.runtime.progress import Progress
from tryon.scoring.fingerprint import ReferenceHashes
from tryon.scoring.metric_availability import AvailableMetrics, insufficient_samples
from tryon.scoring.protocols.protocol import Protocol as EvaluationProtocol
from tryon.scoring.row_scores import RowScores
from tryon.workspace import Workspace


@dataclass(frozen=True)
class ScoringBatch:
    """B rows of one category with their results; K of them have ground truth.

    Args:
        category: of all rows.
        pair_ids: B pair ids.
        results: by method, uint8 (B, H, W, 3), as compared with `targets`.
        has_truth: bool (B,), True for the K rows with ground truth.
        targets: uint8 (K, H, W, 3).
        regions: bool (K, H, W) by name.
        references: hashes of the ground-truth images as they were read and of their regions.
        people: B photos of the persons as set metrics take them; None when no set metric is available.
        set_results: by method, as set metrics take the results; None where these are `results`.
    """

    category: Category
    pair_ids: tuple[str, ...]
    results: Mapping[str, ImageBatch]
    has_truth: NDArray[np.bool_]
    targets: ImageBatch
    regions: Regions
    references: ReferenceHashes
    people: ImageBatch | None = None
    set_results: Mapping[str, ImageBatch] | None = None


class ScoringSource(Protocol):
    """The results of one setting."""

    @property
    def counts(self) -> Mapping[Category, int]:
        """Number of rows of every category that is scored."""
        ...

    def batches(self, category: Category) -> Iterable[ScoringBatch]:
        """Yield the rows of a category in batches."""
        ...

    def people(self, category: Category) -> Iterator[ImageBatch]:
        """Yield the photos of a category again, as set metrics take them, in the same order."""
        ...


SetScores = dict[tuple[str, str, str], float]
"""(category or `ALL`, method, key) to value."""


@dataclass
class Measurement:
    """Scores of one setting.

    Args:
        setting: paired or unpaired.
        counts: number of rows by category.
        available: the loaded metrics.
        rows: scores of every row, possibly of both settings.
        sets: values of set metrics.
        references: by category, pair ids and hashes of the ground truth.
    """

    protocol: EvaluationProtocol
    setting: str
    counts: dict[Category, int]
    available: AvailableMetrics
    rows: RowScores
    sets: SetScores = field(default_factory=dict)
    references: dict[Category, ReferenceHashes] = field(default_factory=lambda: defaultdict(ReferenceHashes))

    @property
    def groups(self) -> dict[str, int]:
        """Number of rows of every category and, where there are several, of `ALL`."""
        by_category = {str(category): count for category, count in self.counts.items()}
        return by_category | ({ALL: sum(by_category.values())} if len(by_category) > 1 else {})

    def methods(self) -> list[str]:
        """Return the methods that have results in this setting."""
        return self.rows.methods(self.setting)


def measure(
    protocol: EvaluationProtocol,
    setting: str,
    source: ScoringSource,
    available: AvailableMetrics,
    workspace: Workspace,
    progress: Progress,
    rows: RowScores | None = None,
) -> Measurement:
    """Score every row of a source.

    Args:
        setting: paired or unpaired.
        workspace: caches person features in its work folder, by content.
        rows: receives the scores; a new object by default.

    Raises:
        MissingInputError: a ground-truth image is absent or differs from the index.
        TryOnError: a packed image is damaged.
    """
    scores = RowScores(tuple(protocol.pair_keys())) if rows is None else rows
    measurement = Measurement(protocol, setting, dict(source.counts), available, scores)
    cache = workspace.work_dir("score") / "features"
    features = _SetFeatures(available.extractors)
    done, total = 0, sum(source.counts.values())
    for category in source.counts:
        for batch in source.batches(category):
            _add_rows(measurement, batch)
            features.add(batch)
            measurement.references[category].update(batch.references)
            done += len(batch.pair_ids)
            progress(done, total, f"rows scored ({protocol.name}, {setting})")
        features.add_people(category, source, cache)
    measurement.sets = features.distances(measurement)
    return measurement


def _add_rows(measurement: Measurement, batch: ScoringBatch) -> None:
    for method, results in batch.results.items():
        numbers: dict[str, NDArray[np.float64]] = {}
        if measurement.available.measures and batch.has_truth.any():
            scored = score_pairs(measurement.available.measures, results[batch.has_truth], batch.targets, batch.regions)
            for key, column in scored.items():
                numbers[key] = np.full(len(batch.has_truth), np.nan)
                numbers[key][batch.has_truth] = column
        measurement.rows.add(measurement.setting, method, batch.category, batch.pair_ids, numbers)


class _SetFeatures:
    """Features of results and persons, computed once per extractor."""

    def __init__(self, extractors: Mapping[str, FeatureExtractor]) -> None:
        self.extractors = dict(extractors)
        self.unique_extractors = {extractor.identity: extractor for extractor in extractors.values()}
        self.results: dict[tuple[str, str, Category], list[Features]] = defaultdict(list)
        self.people: dict[tuple[str, Category], Features] = {}
        self.hashes: dict[Category, list[str]] = defaultdict(list)

    def add(self, batch: ScoringBatch) -> None:
        if not self.unique_extractors:
            return
        assert batch.people is not None
        self.hashes[batch.category] += [sha256_bytes(np.ascontiguousarray(image).tobytes()) for image in batch.people]
        for method, images in (batch.set_results or batch.results).items():
            for identity, extractor in self.unique_extractors.items():
                self.results[identity, method, batch.category].append(extractor(images))

    def add_people(self, category: Category, source: ScoringSource, cache: Path) -> None:
        if hashes := self.hashes[category]:
            for identity, extractor in self.unique_extractors.items():
                self.people[identity, category] = reference_features(extractor, hashes, source.people(category), cache)

    def distances(self, measurement: Measurement) -> SetScores:
        """Compute the distance of every method to the persons, in every category and in all."""
        scores: SetScores = {}
        for identity in self.unique_extractors:
            for group in measurement.groups:
                categories = [c for c in measurement.counts if group in (str(c), ALL) and self.hashes[c]]
                if not categories:
                    continue
                reference = Reference(np.concatenate([self.people[identity, c] for c in categories]))
                for method in measurement.methods():
                    parts = [part for c in categories for part in self.results[identity, method, c]]
                    features = np.concatenate(parts) if parts else np.empty((0, 0), np.float32)
                    scores |= self._distances(measurement.protocol, identity, (group, method), features, reference)
        return scores

    def _distances(
        self,
        protocol: EvaluationProtocol,
        identity: str,
        key: tuple[str, str],
        features: Features,
        reference: Reference,
    ) -> SetScores:
        scores: SetScores = {}
        for each in protocol.metrics:
            extractor = self.extractors.get(each.name)
            if extractor is None or extractor.identity != identity or insufficient_samples(each.metric, len(features)):
                continue
            assert each.metric.distance is not None
            for name, value in each.metric.distance(features, reference).items():
                scores[*key, name.replace(each.metric.name, each.name)] = value * each.scale
        return scores
