"""Metrics of whole sets of pictures (FID, KID): features of every result, and their distance to the people's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tryon.categories import Category
from tryon.loading.packed_dataset import PackedRows
from tryon.metrics import METRICS
from tryon.metrics.image_pair import Pictures
from tryon.metrics.inception import Extractor
from tryon.metrics.metric import Features
from tryon.metrics.reference import Reference, reference_features
from tryon.runtime.atomic_files import sha256_bytes
from tryon.scoring.row_scores import ALL

AT_ONCE = 8
"""Reference pictures in memory at a time."""

SetNumbers = dict[tuple[str, str, str], float]
"""(category or `ALL`, method, key) to number."""


class SetScores:
    """Features of the results of one setting, gathered batch by batch.

    Args:
        extractors: opened metrics of sets, by name; those that share one see each picture once.
    """

    def __init__(self, extractors: Mapping[str, Extractor]) -> None:
        self._extractors = extractors
        self._parts: dict[tuple[str, str, str], list[Features]] = defaultdict(list)

    def add(self, method: str, category: str, results: Pictures) -> None:
        """Add the results of a batch, uint8 (B, H, W, 3)."""
        for identity, extract in self._distinct().items():
            self._parts[identity, method, str(category)].append(extract(results))

    def numbers(self, rows: PackedRows, kept: Path) -> SetNumbers:
        """Distances to the person pictures of the same rows, in every category with enough pictures, and in all.

        Args:
            rows: of the setting, for the person pictures.
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
                    if len(features) >= METRICS[name].least:
                        told = _distance(name, features, references[extract.identity, category])
                        found |= {(category, method, key): value for key, value in told.items()}
        return found

    def _distinct(self) -> dict[str, Extractor]:
        return {extract.identity: extract for extract in self._extractors.values()}

    def _features(self, identity: str, method: str, category: str) -> Features:
        wanted = map(str, Category) if category == ALL else [category]
        parts = [part for one in wanted for part in self._parts.get((identity, method, one), [])]
        return np.concatenate(parts) if parts else np.empty((0, 0), np.float32)


def _distance(name: str, features: Features, reference: Reference) -> dict[str, float]:
    distance = METRICS[name].distance
    assert distance is not None
    return distance(features, reference)


def _references(extract: Extractor, rows: PackedRows, kept: Path) -> dict[str, Reference]:
    """Features of the people of every category, and of all of them."""
    found = {str(category): Reference(_people(extract, rows.of(category), kept)) for category in Category}
    whole = [reference.features for reference in found.values() if len(reference.features)]
    return found | {ALL: Reference(np.concatenate(whole) if whole else np.empty((0, 0), np.float32))}


def _people(extract: Extractor, rows: PackedRows, kept: Path) -> Features:
    if not len(rows):
        return np.empty((0, 0), np.float32)
    hashes = [sha256_bytes(bytes(rows.encoded("person", row))) for row in range(len(rows))]
    batches = (
        np.stack([rows.picture("person", row) for row in range(start, min(start + AT_ONCE, len(rows)))])
        for start in range(0, len(rows), AT_ONCE)
    )
    return reference_features(extract, hashes, batches, kept)
