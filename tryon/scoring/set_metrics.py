"""Metrics of whole sets of images (FID, KID): features of every result, and their distance to the people's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tryon.categories import Category
from tryon.loading.packed_dataset import PackedDataset
from tryon.metrics import METRICS
from tryon.metrics.image_pair import ImageBatch
from tryon.metrics.inception import FeatureExtractor
from tryon.metrics.metric import Features
from tryon.metrics.reference import Reference, reference_features
from tryon.runtime.atomic_files import sha256_bytes
from tryon.scoring.row_scores import ALL

AT_ONCE = 8
"""Reference images in memory at a time."""

SetNumbers = dict[tuple[str, str, str], float]
"""(category or `ALL`, method, key) to number."""


class SetMetrics:
    """Features of the results of one setting, gathered batch by batch.

    Args:
        extractors: opened metrics of sets, by name; those that share one see each image once.
    """

    def __init__(self, extractors: Mapping[str, FeatureExtractor]) -> None:
        self._extractors = extractors
        self._parts: dict[tuple[str, str, str], list[Features]] = defaultdict(list)

    def add(self, method: str, category: str, results: ImageBatch) -> None:
        """Add the results of a batch, uint8 (B, H, W, 3)."""
        for identity, extract in self._distinct().items():
            self._parts[identity, method, str(category)].append(extract(results))

    def numbers(self, rows: PackedDataset, kept: Path) -> SetNumbers:
        """Distances to the person images of the same rows, in every category with enough images, and in all.

        Args:
            rows: of the setting, for the person images.
            kept: folder of reference features, see `reference_features`.
        """
        references = {
            (identity, category): reference
            for identity, extract in self._distinct().items()
            for category, reference in _references(extract, rows, kept).items()
        }
        found: SetNumbers = {}
        for method in dict.fromkeys(method for _, method, _ in self._parts):
            for name, extract in self._extractors.items():
                for category in (*map(str, Category), ALL):
                    features = self._features(extract.identity, method, category)
                    if len(features) >= METRICS[name].min_side_for:
                        told = _distance(name, features, references[extract.identity, category])
                        found |= {(category, method, key): value for key, value in told.items()}
        return found

    def _distinct(self) -> dict[str, FeatureExtractor]:
        return {extract.identity: extract for extract in self._extractors.values()}

    def _features(self, identity: str, method: str, category: str) -> Features:
        wanted = map(str, Category) if category == ALL else [category]
        parts = [part for one in wanted for part in self._parts.get((identity, method, one), [])]
        return np.concatenate(parts) if parts else np.empty((0, 0), np.float32)


def _distance(name: str, features: Features, reference: Reference) -> dict[str, float]:
    distance = METRICS[name].distance
    assert distance is not None
    return distance(features, reference)


def _references(extract: FeatureExtractor, rows: PackedDataset, kept: Path) -> dict[str, Reference]:
    """Features of the people of every category, and of all of them."""
    found = {str(category): Reference(_people(extract, rows.indices_of(category), kept)) for category in Category}
    whole = [reference.features for reference in found.values() if len(reference.features)]
    return found | {ALL: Reference(np.concatenate(whole) if whole else np.empty((0, 0), np.float32))}


def _people(extract: FeatureExtractor, rows: PackedDataset, kept: Path) -> Features:
    if not len(rows):
        return np.empty((0, 0), np.float32)
    hashes = [sha256_bytes(bytes(rows.encoded("person", row))) for row in range(len(rows))]
    batches = (
        np.stack([rows.image("person", row) for row in range(start, min(start + AT_ONCE, len(rows)))])
        for start in range(0, len(rows), AT_ONCE)
    )
    return reference_features(extract, hashes, batches, kept)
